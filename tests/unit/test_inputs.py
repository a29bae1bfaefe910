"""The declared inputs: where their texts come from."""

import pytest
from headless_dbt.inputs import INPUTS, Input

BY_NAME = {declared.name: declared for declared in INPUTS}


def test_the_flag_wins_over_the_environment_and_that_over_the_default() -> None:
    target = BY_NAME["target"]

    assert target.given({"target": "flag"}, {"HEADLESS_DBT_TARGET": "variable"}) == "flag"
    assert target.given({"target": None}, {"HEADLESS_DBT_TARGET": "variable"}) == "variable"
    assert target.given({}, {}) == "prod"


@pytest.mark.parametrize("nothing", ["", " ", "\n", "\t \n"])
@pytest.mark.parametrize("declared", INPUTS, ids=lambda declared: declared.name)
def test_an_empty_text_means_the_default(declared: Input, nothing: str) -> None:
    assert declared.given({declared.attribute: nothing}, {declared.variable: nothing}) == declared.default


@pytest.mark.parametrize("declared", INPUTS, ids=lambda declared: declared.name)
def test_every_default_is_accepted_by_its_own_parser(declared: Input) -> None:
    declared.parse(declared.name, declared.default)


def test_names_are_unique_and_carry_over_to_the_environment() -> None:
    assert len(BY_NAME) == len(INPUTS)
    assert BY_NAME["project-dir"].variable == "HEADLESS_DBT_PROJECT_DIR"
    assert BY_NAME["project-dir"].attribute == "project_dir"
    assert {declared.name for declared in INPUTS if declared.secret} == {"dbt-env", "gcp-credentials", "github-token"}
