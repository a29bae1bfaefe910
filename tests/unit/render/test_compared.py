"""What changed since the previous run."""

import pytest
from headless_dbt.model import Changes, PaceChange, Previous, Run
from headless_dbt.render.compared import render_changes

from tests.unit.builders import make_run
from tests.unit.render.samples import EVERYTHING


def _run(url: str = "", **changes: object) -> Run:
    previous = Previous(name="run 41", url=url, elapsed=60.0, status="success")
    return make_run(changes=Changes(previous=previous, **changes), elapsed=90.0)  # type: ignore[arg-type]


def test_where_nothing_changed_one_line_says_so() -> None:
    assert [*render_changes(_run())] == ["**Since `run 41`** nothing changed; it took 1 min 30 s, 1 min 0 s then."]
    assert [*render_changes(make_run())] == []


def test_each_kind_of_change_has_its_line() -> None:
    [text] = render_changes(EVERYTHING)
    assert text.splitlines()[2:] == [
        "- 1 node broken: `model.shop.fct_orders`",
        "- 1 node new: `model.shop.fct_revenue`",
        "- 1 node slower: `model.shop.stg_orders` (2.0 s → 10 s)",
    ]


def test_many_are_counted() -> None:
    slower = tuple(PaceChange(unique_id=f"a{number}", before=1.0, now=9.0) for number in range(7))
    [text] = render_changes(_run(slower=slower, removed=tuple(map(str, range(9)))))

    assert "- 9 nodes gone: `0`, `1`, `2`, `3`, `4` and 4 more" in text
    assert text.endswith("`a4` (1.0 s → 9.0 s) and 2 more")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x) [y](https://z", "https://x\n# y", "https://x?<b>"])
def test_only_an_address_of_the_web_is_linked(url: str) -> None:
    assert "](" not in "".join(render_changes(_run(url)))
