"""Jobs on BigQuery: labelled, counted, refused once they cost too much, and none left running."""

import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from headless_dbt.bigquery_jobs import BigQueryJobs, NotBegunError, label_value
from hypothesis import given
from hypothesis import strategies as st

REFUSAL = "too dear"


class _Error(Exception):
    def __init__(self, code: int, said: str = "said the service") -> None:
        super().__init__(f"{code} {said}")
        self.code = code


class _Config:
    def __init__(self, labels: dict[str, str] | None = None, *, dry_run: bool = False) -> None:
        self.labels, self.dry_run = labels or {}, dry_run


class _Job:
    """What Google's client returns for a job."""

    project, location, job_type, error_result, slot_millis = "acme", "EU", "query", None, 7

    def __init__(self, world: "_World", job_id: str, billed: int) -> None:
        self.world = world
        self.job_id, self.total_bytes_billed, self.total_bytes_processed = job_id, billed, billed // 2
        self.state = "RUNNING"
        self.cancels = 0

    def cancel(self, **_: Any) -> None:
        time.sleep(self.world.slowness)
        self.cancels += 1
        self.state = "DONE"


class _World:
    """A library with a client whose service answers as `answers` says, by job id; and the jobs that it began."""

    def __init__(self, folder: Path, most_bytes: int | None = None, **labels: str) -> None:
        self.node = "model.shop.orders"
        self.begun: dict[str, _Job] = {}
        self.configs: list[_Config] = []
        self.names: list[str | None] = []
        self.cancelled_by_id: list[tuple[str, str | None]] = []
        self.found: list[tuple[str, str | None]] = []
        self.unknown_for = 0
        self.answers: dict[str, Any] = {}
        self.billed = 10
        self.slowness = 0.0
        world = self

        class Client:
            def query(
                self, query: str, job_config: _Config | None = None, job_id: str | None = None, location: str = ""
            ) -> _Job:
                world.names.append(job_id)
                return world._begin(job_config, job_id or f"google-{len(world.begun)}")

            def load_table_from_file(self, file_obj: Any, job_id: str | None = None, job_config: Any = None) -> _Job:
                return world._begin(job_config, job_id)

            def copy_table(self, sources: Any, job_id: str | None = None, job_config: Any = None) -> _Job:
                return world._begin(job_config, job_id)

            def get_job(self, job_id: str, project: str | None = None, location: str | None = None) -> _Job:
                world.found.append((job_id, location))
                if len(world.found) <= world.unknown_for:
                    raise _Error(404)
                return world.begun[job_id]

            def cancel_job(self, job_id: str, project: Any, location: str | None, **_: Any) -> None:
                world.cancelled_by_id.append((job_id, location))
                if job_id not in world.begun:
                    raise _Error(404)
                world.begun[job_id].state = "DONE"

        self.client = Client()
        options = {
            "labels": labels,
            "most_bytes": most_bytes,
            "ledger": str(folder / "jobs.jsonl"),
            "refusal": REFUSAL,
        }
        self.ledger = folder / "jobs.jsonl"
        self.jobs = BigQueryJobs(options, lambda: self.node)
        library = dict.fromkeys(("QueryJobConfig", "LoadJobConfig", "CopyJobConfig"), _Config)
        self.jobs.watch(SimpleNamespace(Client=Client, **library))

    def _begin(self, config: _Config | None, job_id: str | None) -> _Job:
        assert config is not None
        assert job_id is not None
        self.configs.append(config)
        answer = self.answers.get(job_id)
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        self.begun[job_id] = _Job(self, job_id, self.billed)
        return self.begun[job_id]

    def run(self, node: str, job_id: str) -> None:
        """A job that begins and ends."""
        self.node = node
        self.client.query("select 1", _Config(), job_id).state = "DONE"

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ledger.read_text().splitlines()] if self.ledger.exists() else []


def test_every_kind_of_job_has_the_labels_of_the_run_and_its_node(tmp_path: Path) -> None:
    world = _World(tmp_path, repository="Acme/Shop", run_id="42")

    world.client.query("select 1", _Config({"team": "a", "run_id": "own"}))
    world.client.load_table_from_file(None, job_config=_Config())
    world.node = ""
    world.client.copy_table([], None)

    ours = {"repository": "acme_shop", "run_id": "42"}
    assert [config.labels for config in world.configs] == [
        {**ours, "node": "model_shop_orders", "team": "a", "run_id": "own"},
        {**ours, "node": "model_shop_orders"},
        ours,
    ]


def test_a_query_that_its_caller_does_not_name_stays_googles_to_try_again(tmp_path: Path) -> None:
    world = _World(tmp_path)
    world.client.query("select 1").state = "DONE"
    world.answers["google-1"] = _Error(503)
    with pytest.raises(_Error):
        world.client.query("select 1")
    world.client.load_table_from_file(None)

    world.jobs.settle()

    assert world.names == [None, None]
    assert world.jobs.bytes_billed == 10
    assert world.cancelled_by_id == []
    assert [job.cancels for job in world.begun.values()] == [0, 1]


def test_a_dry_run_is_labelled_and_no_job(tmp_path: Path) -> None:
    world = _World(tmp_path, most_bytes=0, target="prod")
    world.run("model.shop.a", "1")

    world.node = "model.shop.b"
    world.client.query("select 1", _Config(dry_run=True), "2")
    world.jobs.settle()

    assert world.configs[-1].labels["target"] == "prod"
    assert [line["job"] for line in world.lines] == ["1"]
    assert not world.begun["2"].cancels


@pytest.mark.parametrize(
    ("text", "value"),
    [("model.shop.Orders", "model_shop_orders"), ("", ""), ("nightly.yml", "nightly_yml"), ("ä/b", "__b")],
)
def test_a_label_has_only_what_bigquery_takes(text: str, value: str) -> None:
    assert label_value(text) == value


@given(st.text(max_size=300), st.text(min_size=1, max_size=20))
def test_long_labels_stay_apart(text: str, more: str) -> None:
    value = label_value(text + more)
    assert len(value) <= 63
    assert not set(value) - set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    long = "x" * 80
    assert label_value(long + text) != label_value(long + text + more)


def test_what_has_ended_is_counted_once_and_listed(tmp_path: Path) -> None:
    world = _World(tmp_path)
    world.run("model.shop.a", "1")
    world.run("", "2")
    world.jobs.settle()
    world.jobs.settle()

    assert world.jobs.bytes_billed == 20
    assert world.lines[0] == {
        "node": "model.shop.a",
        "project": "acme",
        "location": "EU",
        "job": "1",
        "type": "query",
        "bytes_processed": 5,
        "bytes_billed": 10,
        "slot_ms": 7,
        "failed": False,
    }
    assert [line["node"] for line in world.lines] == ["model.shop.a", ""]


def test_past_the_limit_what_has_begun_goes_on_and_nothing_else_begins(tmp_path: Path) -> None:
    world = _World(tmp_path, most_bytes=10)
    world.run("model.shop.a", "1")
    world.run("model.shop.b", "2")
    assert not world.jobs.refused

    world.run("model.shop.b", "3")
    world.node = "model.shop.c"
    with pytest.raises(NotBegunError, match=REFUSAL):
        world.client.query("select 1")
    assert world.jobs.refused
    world.run("", "4")
    world.run("operation.shop.on-run-end-0", "5")

    assert list(world.begun) == ["1", "2", "3", "4", "5"]


def test_the_limit_itself_may_be_reached(tmp_path: Path) -> None:
    world = _World(tmp_path, most_bytes=20)
    for number in range(3):
        world.run(f"model.shop.{number}", str(number))
    with pytest.raises(NotBegunError):
        world.run("model.shop.x", "x")


def test_what_was_lost_sight_of_is_cancelled_before_anything_is_tried_again(tmp_path: Path) -> None:
    world = _World(tmp_path)
    running = world.client.query("select 1", None, "1")
    world.run("model.shop.b", "2")

    world.jobs.settle()

    assert running.cancels == 1
    assert not world.begun["2"].cancels
    world.jobs.settle()
    assert running.cancels == 1


@pytest.mark.parametrize("code", [409, 500, 503])
def test_a_job_whose_answer_was_lost_is_cancelled_by_its_id_and_place(tmp_path: Path, code: int) -> None:
    world = _World(tmp_path)
    world.answers["1"] = _Error(code)
    with pytest.raises(_Error):
        world.client.query("select 1", None, "1", "europe-west1")
    world.begun["1"] = _Job(world, "1", 10)

    world.jobs.settle()

    assert world.cancelled_by_id == [("1", "europe-west1")]


def test_a_job_that_the_service_refused_is_none(tmp_path: Path) -> None:
    world = _World(tmp_path)
    world.answers["1"] = _Error(403)
    with pytest.raises(_Error):
        world.client.query("select 1", None, "1")

    world.jobs.settle()

    assert world.cancelled_by_id == []


def test_a_job_that_is_found_again_is_the_same(tmp_path: Path) -> None:
    world = _World(tmp_path)
    world.answers["1"] = _Error(409)
    world.begun["1"] = _Job(world, "1", 10)
    with pytest.raises(_Error):
        world.client.query("select 1", None, "1")
    world.client.get_job("1").state = "DONE"

    world.jobs.settle()

    assert world.jobs.bytes_billed == 10
    assert world.cancelled_by_id == []


@pytest.mark.parametrize("project", ["acme", "example.com:acme"])
def test_a_job_is_where_the_service_says_that_its_id_is_taken(tmp_path: Path, project: str) -> None:
    world = _World(tmp_path)
    for job_id in ("1", "2"):
        world.answers[job_id] = _Error(409, f"Already Exists: Job {project}:europe-west3.{job_id}")
        with pytest.raises(_Error):
            world.client.query("select 1", None, job_id)
        world.begun[job_id] = _Job(world, job_id, 10)

    world.client.get_job("1")
    world.jobs.settle()

    assert world.found == [("1", "europe-west3")]
    assert world.cancelled_by_id == [("2", "europe-west3")]


def test_a_job_whose_id_is_taken_may_come_to_light_a_moment_later(tmp_path: Path) -> None:
    world = _World(tmp_path)
    world.unknown_for = 1
    world.answers["1"] = _Error(409)
    world.begun["1"] = _Job(world, "1", 10)
    with pytest.raises(_Error):
        world.client.query("select 1", None, "1")

    assert world.client.get_job("1") is world.begun["1"]
    assert len(world.found) == 2


@pytest.mark.parametrize("code", [None, 503])
def test_a_job_that_nobody_has_seen_is_asked_for_once(tmp_path: Path, code: int | None) -> None:
    world = _World(tmp_path)
    world.unknown_for = 1
    if code:
        world.answers["1"] = _Error(code)
        with pytest.raises(_Error):
            world.client.query("select 1", None, "1")

    with pytest.raises(_Error):
        world.client.get_job("1")
    assert len(world.found) == 1


def test_a_close_cancels_all_at_once_and_what_is_just_being_submitted(tmp_path: Path) -> None:
    world = _World(tmp_path)
    running = [world.client.query("select 1") for _ in range(8)]
    world.slowness = 0.2
    arrived, answer = threading.Event(), threading.Event()

    def answered_late() -> None:
        arrived.set()
        world.begun["late"] = _Job(world, "late", 0)
        answer.wait(5)

    def not_there_yet() -> None:
        arrived.set()
        time.sleep(0.3)
        answered_late()

    world.answers["late"] = not_there_yet
    submitter = threading.Thread(target=world.client.query, args=("select 1", None, "late"))
    submitter.start()
    assert arrived.wait(5)
    began = time.monotonic()

    world.jobs.close()

    took = time.monotonic() - began
    answer.set()
    submitter.join()
    assert [job.cancels for job in running] == [1] * 8
    assert len(world.cancelled_by_id) > 1  # Once it was not there yet.
    assert took < 1.2
    with pytest.raises(NotBegunError, match="cancelled"):
        world.client.query("select 1")


def test_a_service_that_does_not_answer_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headless_dbt.bigquery_jobs.CALL_SECONDS", 0.2)
    world = _World(tmp_path)
    stuck, refusing = world.client.query("select 1"), world.client.query("select 1")
    stuck.cancel = lambda **_: time.sleep(5)  # type: ignore[method-assign]

    def refuse(**_: Any) -> None:
        raise _Error(503)

    refusing.cancel = refuse  # type: ignore[method-assign]
    began = time.monotonic()
    world.jobs.settle()

    assert time.monotonic() - began < 2
