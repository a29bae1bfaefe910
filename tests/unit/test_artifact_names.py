"""The names of artifacts on GitHub: one of a kind, and found again."""

import pytest
from headless_dbt.artifact_names import request_in, standing_for, unique_artifact_name
from headless_dbt.model import Request

from tests.unit.builders import make_context, make_request


def _asked(**changes: str) -> Request:
    return make_request(make_context(), **changes)


def test_the_part_after_the_name_stands_for_what_was_asked_for() -> None:
    assert unique_artifact_name("x", _asked(), "n") == unique_artifact_name("x", _asked(), "n")
    assert standing_for(_asked()) != standing_for(_asked(target="dev"))
    tomorrow = make_request(make_context(run_id="43", run_attempt="2", sha="f"))
    assert standing_for(tomorrow) == standing_for(_asked())


def test_an_input_of_a_later_version_changes_nothing_as_long_as_it_is_left_alone() -> None:
    assert standing_for(_asked(retries="2", cost_limit="0")) == standing_for(_asked())
    assert standing_for(_asked(cost_limit="5")) != standing_for(_asked())


def test_how_a_run_is_continued_is_no_part_of_what_was_asked_for() -> None:
    assert standing_for(_asked(resume_from="latest")) == standing_for(_asked())


@pytest.mark.parametrize("name", ["dbt-artifacts", "a.*b", "nightly dbt", "a/b"])
def test_a_name_is_found_again(name: str) -> None:
    uploaded = unique_artifact_name(name, _asked(), "0a1b2c")

    assert request_in(uploaded, name) == standing_for(_asked())
    assert not request_in(uploaded, "other")
    assert not request_in(uploaded + "x", name)


@pytest.mark.parametrize(
    ("name", "kept"), [("nightly dbt", "nightly dbt-"), ('a/b:"c"\n', "a-b--c---"), ("schön", "sch-n-")]
)
def test_a_name_that_github_would_refuse_is_mended(name: str, kept: str) -> None:
    assert unique_artifact_name(name, _asked(), "n").startswith(kept)
