"""A BigQuery that nobody here wrote: the package bqemulator, started on this machine, in an environment of its own."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[1]
_LOCK = ROOT / "requirements-emulator.txt"
_READY = "grpc.listen"
"""The last thing that it says when it starts."""


@dataclass(frozen=True)
class BigQueryEmulator:
    """The emulator at an address. Each project of Google Cloud is a warehouse of its own, and empty at first."""

    url: str
    log: Path

    def query(self, project: str, sql: str) -> list[tuple[str | None, ...]]:
        """The rows, as BigQuery's REST API gives them: every value is a text, or None."""
        answer = self._post(f"projects/{project}/queries", {"query": sql, "useLegacySql": False})
        if answer.get("errors"):
            raise AssertionError(f"{answer['errors'][0]['message']}\n{sql}")
        return [tuple(cell["v"] for cell in row["f"]) for row in answer["rows"]]

    def _post(self, path: str, content: object) -> Any:
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/bigquery/v2/{path}", json.dumps(content).encode(), headers)
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)


@contextmanager
def start_emulator(environment: Path, folder: Path) -> Iterator[BigQueryEmulator]:
    """Start the emulator on free ports, with all data in memory and its log in `folder`; end it afterwards."""
    log = folder / "bigquery-emulator.log"
    # DuckDB looks for its extensions in the home; the other switch keeps it from fetching one that no test needs.
    variables = {"HOME": str(environment), "PATH": os.defpath, "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false"}
    command = [str(environment / "bin/python"), "-m", "bqemulator", "start", "--rest-port", "0", "--grpc-port", "0"]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield BigQueryEmulator(_address(process, log), log)
        finally:
            process.kill()  # It is one process alone, and its data is in memory.


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the emulator is ready."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        lines = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line[:1] + line[-1:] == "{}"]
        said = {line["event"]: line for line in lines}
        if _READY in said:
            return f"http://127.0.0.1:{said['rest.listen']['port']}"
        time.sleep(0.05)
    raise AssertionError(f"The BigQuery emulator did not start.\n{log.read_text('utf-8')}")


def build_environment(parent: Path) -> Path:
    """Build the emulator's environment below `parent`, unless it stands there already; return its folder."""
    content = _LOCK.read_bytes() + sys.executable.encode()
    folder = parent / f"emulator-{hashlib.sha256(content).hexdigest()[:12]}"
    stamp = folder / "complete"
    python = folder / "bin/python"
    with _alone(folder):
        if not stamp.exists():
            _uv("venv", "--no-project", "--clear", "--python", sys.executable, str(folder))
            _uv("pip", "sync", "--no-build", "--require-hashes", "--python", str(python), str(_LOCK))
            install = "import duckdb_extensions; duckdb_extensions.import_extension('spatial')"
            subprocess.run([python, "-c", install], env={"HOME": str(folder)}, check=True)
            stamp.touch()
    return folder


def _uv(*arguments: str) -> None:
    subprocess.run([Path(sys.executable).with_name("uv"), "--quiet", *arguments], check=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold off the other workers of pytest-xdist."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
