"""schemas/run.json is what the model says, and what runs are."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from headless_dbt.model import (
    Attempt,
    Cause,
    Changes,
    Continued,
    Exposure,
    PaceChange,
    Previous,
    Run,
    StatusChange,
)

from tests.unit.builders import make_run
from tests.unit.render.samples import RUNS

ROOT = Path(__file__).resolve().parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas/run.json").read_text("utf-8"))
FULL = make_run(
    attempts=(Attempt(number=1, causes=("rate limit",)),),
    continued=Continued(run="run 7", taken=3),
    causes=(Cause(key="k", exposures=(Exposure(unique_id="exposure.shop.board", name="Board"),)),),
    changes=Changes(
        previous=Previous(name="run 41", status="success"),
        broken=(StatusChange(unique_id="model.shop.a", before="success", now="error"),),
        slower=(PaceChange(unique_id="model.shop.b", before=1.0, now=60.0),),
    ),
)


def test_the_schema_is_what_the_model_says() -> None:
    check = subprocess.run(
        [sys.executable, "scripts/write_schema.py", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": "scripts", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.parametrize("run", [*RUNS.values(), FULL], ids=[*RUNS, "full"])
def test_every_run_has_the_shape_of_the_schema(run: Run) -> None:
    jsonschema.validate(json.loads(msgspec.json.encode(run)), SCHEMA)


@pytest.mark.parametrize("change", [{"status": "fine"}, {"nodes": [{"name": "x"}]}, {"elapsed": "long"}])
def test_what_is_no_run_does_not(change: dict[str, Any]) -> None:
    run = json.loads(msgspec.json.encode(RUNS["green"]))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**run, **change}, SCHEMA)
