"""What dbt remembers of a parse, from one run to the next, and what is in the way of that."""

import os
import stat
from pathlib import Path
from urllib.parse import quote

import pytest
from headless_dbt.kept_parse import NAME, kept_parse


def test_what_was_kept_is_lent_again(tmp_path: Path) -> None:
    kept = kept_parse(tmp_path / "kept", "prod", "", tmp_path, tmp_path)
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    assert not kept.lend(after, "inputs")
    (before / NAME).write_bytes(b"graph")

    kept.keep(before, "inputs", {"hunter2"})

    assert kept.lend(after, "inputs")
    assert (after / NAME).read_bytes() == b"graph"
    assert stat.S_IMODE(kept.file.stat().st_mode) == 0o600
    assert [file.name for file in kept.file.parent.iterdir()] == [kept.file.name]


def test_what_is_of_other_inputs_is_not_lent(tmp_path: Path) -> None:
    kept = kept_parse(tmp_path / "kept", "prod", "", tmp_path, tmp_path)
    (tmp_path / NAME).write_bytes(b"graph")
    kept.keep(tmp_path, "inputs", ())
    (tmp_path / NAME).unlink()

    assert not kept.lend(tmp_path, "others")
    # The clock may be among them.
    assert not kept.lend(tmp_path, "")
    (tmp_path / NAME).write_bytes(b"graph")
    kept.keep(tmp_path, "", ())
    assert not kept.file.exists()


def test_only_the_last_few_are_kept(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"graph")
    for day in range(10):
        each = kept_parse(tmp_path / "kept", "prod", f"{{day: {day}}}", tmp_path, tmp_path)
        each.keep(tmp_path, "inputs", ())
        os.utime(each.file, (day, day))

    assert len(list((tmp_path / "kept").iterdir())) == 4
    assert each.file.exists()


@pytest.mark.parametrize("secret", ["hunter2", "hunter 2&3"])
def test_what_holds_a_secret_is_not_kept_and_what_was_kept_goes(tmp_path: Path, secret: str) -> None:
    kept = kept_parse(tmp_path / "kept", "prod", "", tmp_path, tmp_path)
    (tmp_path / NAME).write_bytes(b"graph")
    assert kept.keep(tmp_path, "inputs", ())
    # Also as it stands in a URL.
    (tmp_path / NAME).write_bytes(b"graph with " + quote(secret).encode())

    assert not kept.keep(tmp_path, "inputs", {secret})
    assert not kept.file.exists()


@pytest.mark.parametrize("other", [("dev", "", "."), ("prod", "{a: 1}", "."), ("prod", "", "profiles")])
def test_each_target_and_set_of_variables_has_its_own(tmp_path: Path, other: tuple[str, str, str]) -> None:
    target, variables, profiles = other

    assert kept_parse(tmp_path, "prod", "", Path(), Path()) == kept_parse(tmp_path, "prod", "", Path(), Path())
    assert kept_parse(tmp_path, "prod", "", Path(), Path()) != kept_parse(
        tmp_path, target, variables, Path(), Path(profiles)
    )


def test_a_place_that_cannot_be_had_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file in the way")
    kept = kept_parse(tmp_path / "kept", "prod", "", tmp_path, tmp_path)

    kept.keep(tmp_path, "inputs", ())
    (tmp_path / NAME).write_bytes(b"graph")
    kept.keep(tmp_path, "inputs", ())

    assert not kept.lend(tmp_path, "inputs")
