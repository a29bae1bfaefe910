"""What keeps `recall` from looking at all. The requests themselves are the integration ring's."""

import io
from pathlib import Path

import pytest
from headless_dbt.console import Console
from headless_dbt.recall import recall
from headless_dbt.settings import Places

from tests.unit.builders import make_context, make_request, make_run_folder, make_runner


@pytest.mark.parametrize("on_github", [True, False])
@pytest.mark.parametrize(
    ("environment", "made", "reason"),
    [
        ({}, True, "GITHUB_REPOSITORY and GITHUB_TOKEN must both be set to look for it"),
        ({"GITHUB_REPOSITORY": "acme/shop"}, True, "GITHUB_REPOSITORY and GITHUB_TOKEN must both be set"),
        ({"GITHUB_REPOSITORY": "acme/shop", "GITHUB_TOKEN": "x"}, True, "no earlier run of a workflow asked for"),
        ({}, False, "request.json is missing"),
    ],
)
def test_what_is_in_the_way_is_one_sentence(
    tmp_path: Path, environment: dict[str, str], made: bool, reason: str, on_github: bool
) -> None:
    folder, stream = tmp_path / "run", io.BytesIO()
    if made:
        make_run_folder(folder)
    runner = make_runner(tmp_path, environment, on_github=on_github)

    assert recall({}, runner, Places(run_folder=str(folder)), Console(on_github=on_github, stream=stream)) == 0

    said = stream.getvalue().decode()
    assert said.startswith("There is no previous run to compare with: ")
    assert reason in said
    assert (said.count("\n"), "::" in said) == (1, False)


def test_a_check_has_nothing_to_compare(tmp_path: Path) -> None:
    stream = io.BytesIO()
    make_run_folder(tmp_path / "run", request=make_request(make_context(), check="true"))

    assert recall({}, make_runner(tmp_path), Places(run_folder="run"), Console(on_github=True, stream=stream)) == 0

    assert stream.getvalue() == b""


def test_no_run_folder_at_all_is_no_failure_either(tmp_path: Path) -> None:
    stream = io.BytesIO()
    assert recall({}, make_runner(tmp_path), Places(), Console(on_github=True, stream=stream)) == 0
    assert b"::" not in stream.getvalue()
