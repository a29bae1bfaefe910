"""Which earlier run is meant, and why nothing of it is taken over."""

import json
from pathlib import Path

import pytest
from headless_dbt.code_manifest import Code, read_code_manifest
from headless_dbt.earlier_runs import EarlierRun, find_earlier, takeover_from, write_finding
from headless_dbt.errors import RequestError
from headless_dbt.run_folder import RunFolder

from tests.unit.builders import (
    make_node,
    make_record,
    make_request,
    make_run,
    make_run_folder,
    manifest,
    manifest_node,
    result,
    run_results,
)

A = "model.shop.a"
MANIFEST = manifest(manifest_node(A))
MANIFEST_CODE = read_code_manifest(json.dumps(MANIFEST).encode())
CODE = MANIFEST_CODE.code([A], ["here"], str)


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    (tmp_path / "fetched").mkdir()
    return tmp_path / "fetched"


def _folder(path: Path, code: Code = CODE) -> RunFolder:
    folder = make_run_folder(
        path,
        request=make_request(),
        record=make_record(A, finished=True),
        manifest=MANIFEST,
        results=run_results(result(A)),
    )
    folder.write_code(code)
    return folder


@pytest.mark.parametrize("resume_from", ["", "none"])
def test_nothing_is_continued_unasked(tmp_path: Path, resume_from: str) -> None:
    assert find_earlier(resume_from, tmp_path, tmp_path / "nothing fetched") is None


def test_none_turns_off_what_was_fetched(tmp_path: Path, fetched: Path) -> None:
    write_finding(fetched, EarlierRun(run="the attempt before"))
    assert find_earlier("none", tmp_path, fetched) is None
    assert find_earlier("", tmp_path, fetched) == EarlierRun(run="the attempt before")


def test_a_run_folder_is_an_earlier_run(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "run")
    found = find_earlier("run", tmp_path, None)
    assert found == EarlierRun(run="run", folders=(str(folder.path),))
    assert find_earlier(str(folder.path), Path("/elsewhere"), None) == found


def test_a_fetched_folder_can_be_named_too(tmp_path: Path, fetched: Path) -> None:
    finding = EarlierRun(run="run 7", folders=(str(_folder(tmp_path / "run").path),))
    write_finding(fetched, finding)
    assert find_earlier("fetched", tmp_path, None) == finding


def test_an_unreadable_finding_is_none(tmp_path: Path, fetched: Path) -> None:
    (fetched / "earlier.json").write_bytes(b'{"run"')
    assert find_earlier("", tmp_path, fetched) is None


@pytest.mark.parametrize(
    ("resume_from", "reason", "sentence"),
    [
        ("7", None, "resume-from: got '7', but that run has not been fetched; allowed: the id of an earlier run"),
        ("7", "it left no artifact", "resume-from: got '7', but it left no artifact;"),
        ("nowhere", None, "resume-from: got 'nowhere', but there is no request.json in it;"),
        ("x" * 5000, None, "but there is no request.json in it;"),
    ],
)
def test_a_run_that_was_named_and_is_not_there_is_a_wrong_request(
    tmp_path: Path, fetched: Path, resume_from: str, reason: str | None, sentence: str
) -> None:
    if reason:
        write_finding(fetched, EarlierRun(run="run 7", reason=reason))
    with pytest.raises(RequestError) as caught:
        find_earlier(resume_from, tmp_path, fetched)
    assert sentence in str(caught.value)


def test_a_latest_run_that_is_not_there_is_no_error(tmp_path: Path, fetched: Path) -> None:
    found = find_earlier("latest", tmp_path, fetched)
    assert found is not None
    assert found.reason == "it has not been fetched"
    write_finding(fetched, EarlierRun(run="the latest run", reason="GitHub refused it"))
    found = find_earlier("latest", tmp_path, fetched)
    assert found is not None
    assert found.reason == "GitHub refused it"


def test_what_passed_is_taken_over(tmp_path: Path) -> None:
    earlier = EarlierRun(run="run 7", folders=(str(_folder(tmp_path / "run").path),))
    takeover = takeover_from(earlier, make_request(), CODE, MANIFEST_CODE, (A,))
    assert [entry["unique_id"] for entry in takeover.taken] == [A]


@pytest.mark.parametrize(
    ("earlier", "reason"),
    [
        ({"reason": "it has expired"}, "it has expired"),
        ({"folders": ()}, "it left no artifact of the same request"),
        ({"folders": ("gone",)}, "is missing: `headless-dbt run` did not get to write it"),
        ({"only_unfinished": True}, "it succeeded, and nothing of it is left to build"),
    ],
)
def test_why_nothing_is_taken_over(tmp_path: Path, earlier: dict[str, object], reason: str) -> None:
    folder = _folder(tmp_path / "run")
    folder.write_run(make_run([make_node(A)]))
    given = {"run": "run 7", "folders": (str(folder.path),), **earlier}
    takeover = takeover_from(EarlierRun(**given), make_request(), CODE, MANIFEST_CODE, (A,))  # type: ignore[arg-type]
    assert takeover.taken == ()
    assert reason in takeover.reason


def test_a_run_that_failed_or_never_got_to_its_verdict_is_unfinished(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "run")
    earlier = EarlierRun(run="run 7", folders=(str(folder.path),), only_unfinished=True)
    assert takeover_from(earlier, make_request(), CODE, MANIFEST_CODE, (A,)).taken
    folder.write_run(make_run([make_node(A, "error")]))
    assert takeover_from(earlier, make_request(), CODE, MANIFEST_CODE, (A,)).taken


def test_unasked_only_the_very_same_request_is_continued(tmp_path: Path) -> None:
    folders = (str(_folder(tmp_path / "run").path),)
    request = make_request(select="a")
    assert takeover_from(EarlierRun(run="x", folders=folders), request, CODE, MANIFEST_CODE, (A,)).taken
    unasked = takeover_from(EarlierRun(run="x", folders=folders, unasked=True), request, CODE, MANIFEST_CODE, (A,))
    assert unasked.reason == "it left no artifact of the same request"


def test_of_two_jobs_with_the_same_request_the_one_in_the_same_surroundings_is_continued(tmp_path: Path) -> None:
    """A matrix over secrets: nothing of what was asked for tells its jobs apart."""
    there = MANIFEST_CODE.code([A], ["another database"], str)
    folders = (str(_folder(tmp_path / "newest", there).path), str(_folder(tmp_path / "ours").path))
    assert takeover_from(EarlierRun(run="x", folders=folders), make_request(), CODE, MANIFEST_CODE, (A,)).taken
    alone = takeover_from(EarlierRun(run="x", folders=folders[:1]), make_request(), CODE, MANIFEST_CODE, (A,))
    assert alone.reason.startswith("the connection, dbt's version")


def test_a_run_of_before_there_was_a_record_of_code_is_not_continued(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "run")
    (folder.path / "code.json").unlink()
    earlier = EarlierRun(run="x", folders=(str(folder.path),))
    assert "code.json is missing" in takeover_from(earlier, make_request(), CODE, MANIFEST_CODE, (A,)).reason
