"""What one run keeps for the next: bytecode and the last parse, and what becomes of them where they are broken."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.e2e.act import CRON, Act
from tests.e2e.caller import Caller
from tests.e2e.dbt_project import dbt_project
from tests.e2e.outcome import Outcome
from tests.e2e.test_dbt_build import MODELS, call, results, the_artifact, workflow

RESTORE, SAVE = "Restore the cache", "Save the cache"


def reparsed(outcome: Outcome) -> bool:
    """Whether dbt read the whole project anew."""
    return b"Unable to do partial parsing" in the_artifact(outcome)["dbt.log"]


@pytest.fixture
def nightly(caller: Caller) -> Caller:
    """A caller of the workflow."""
    caller.commit({**dbt_project(), **workflow(nightly=call())})
    return caller


def test_the_second_run_has_what_the_first_one_kept(act: Act, nightly: Caller) -> None:
    first = act.run(nightly, CRON)
    assert first.succeeded, first.log
    assert (first.job.steps[RESTORE], first.job.steps[SAVE]) == ("success", "success")
    assert reparsed(first)
    [archive] = caches(act, nightly)
    kept = subprocess.check_output(["tar", "--use-compress-program", "unzstd --long=30", "-tPf", archive], text=True)
    assert sorted(line.rpartition("/")[2][:6] for line in kept.split() if line.endswith(".zip")) == ["byteco", "parse-"]

    second = act.run(nightly, CRON, run_id=2)

    assert second.succeeded, second.log
    assert not reparsed(second)
    assert results(second) == dict.fromkeys(MODELS, "success")
    # Nothing new was to be kept.
    assert second.job.steps[SAVE] == "skipped"

    # An edit of a model is read for itself; what may change others is not taken for the same project.
    for run_id, (models, is_read_whole) in enumerate(
        (({"revenue": "select 1 as revenue"}, False), ({"prices": "select 1 as price"}, True)), start=3
    ):
        nightly.commit(dbt_project(**models))
        changed = act.run(nightly, CRON, run_id=run_id)

        assert results(changed) == dict.fromkeys((*MODELS, *models), "success")
        assert reparsed(changed) is is_read_whole
        assert changed.job.steps[SAVE] == "success"


def caches(act: Act, caller: Caller) -> list[Path]:
    """The archives that GitHub would hold."""
    return [file for file in act.cache_of(caller).rglob("*") if file.is_file() and file.read_bytes()[:4] == ZSTANDARD]


ZSTANDARD = b"\x28\xb5\x2f\xfd"


def test_a_poisoned_cache_is_as_good_as_none(act: Act, nightly: Caller, tmp_path: Path) -> None:
    assert act.run(nightly, CRON).succeeded
    healthy = shutil.copytree(act.cache_of(nightly), tmp_path / "healthy")
    for run_id, poison in enumerate(("the archive", "the files in it", "the service"), start=2):
        cache = act.cache_of(nightly)
        shutil.rmtree(cache)
        if poison != "the service":
            shutil.copytree(healthy, cache)
            archives = caches(act, nightly)
            assert archives
            for archive in archives:
                if poison == "the archive":
                    archive.write_bytes(ZSTANDARD + b"garbage")
                else:
                    ruin(archive, tmp_path / "unpacked")

        outcome = act.run(nightly, CRON, run_id=run_id)

        assert outcome.succeeded, outcome.log
        assert results(outcome) == dict.fromkeys(MODELS, "success")
        assert reparsed(outcome)
        assert json.loads(the_artifact(outcome)["run.json"])["status"] == "success"


def ruin(archive: Path, folder: Path) -> None:
    """Put garbage into every file of an archive."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    packed = folder / "packed.tar"
    subprocess.run(["zstd", "--quiet", "--decompress", "--long=30", "-o", packed, archive], check=True)
    with tarfile.open(packed) as old, tarfile.open(folder / "new.tar", "w") as new:
        for member in old:
            member.size = len(b"garbage") if member.isfile() else 0
            garbage = folder / "garbage"
            garbage.write_bytes(b"garbage")
            with garbage.open("rb") as content:
                new.addfile(member, content if member.isfile() else None)
    subprocess.run(["zstd", "--quiet", "--force", "-o", archive, folder / "new.tar"], check=True)


def test_who_wants_no_cache_has_none(act: Act, caller: Caller) -> None:
    caller.commit({**dbt_project(), **workflow(nightly=call(cache=False))})
    outcome = act.run(caller, CRON)
    assert outcome.succeeded, outcome.log
    assert (outcome.job.steps[RESTORE], outcome.job.steps[SAVE]) == ("skipped", "skipped")
    assert not caches(act, caller)
