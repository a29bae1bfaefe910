"""Runs a caller's workflow with the real act, in host mode: no Docker, no network but loopback and packages."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from tests.conftest import LIBDUCKDB
from tests.e2e.artifact_proxy import artifact_proxy
from tests.e2e.caller import Caller
from tests.e2e.outcome import Outcome, read_jobs
from tests.e2e.product import NAME, ROOT, local_repositories
from tests.github_double import GitHubDouble

_NODE_MODULES = ROOT / "tests/node_modules"
_KEPT = {"PATH", "HOME", "LANG"}
# What the package clients of this machine need to reach their index.
_KEPT |= {"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"}
_KEPT |= {f"{scheme}_proxy" for scheme in ("http", "https", "no", "all")}
_KEPT_PREFIXES = ("PIP_", "UV_")


@dataclass(frozen=True)
class Trigger:
    """What starts a run: the event's name and its payload."""

    event: str
    payload: Mapping[str, object] = field(default_factory=dict)


CRON = Trigger("schedule", {"schedule": "0 6 * * *"})


def dispatch(**inputs: str | bool) -> Trigger:
    """Somebody presses "Run workflow"; `_` in a name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in inputs.items()}
    return Trigger("workflow_dispatch", {"inputs": named})


@dataclass(frozen=True)
class Act:
    """act with this repository as the one that callers use, and the double as GitHub."""

    product: Path
    github: GitHubDouble
    folder: Path
    """Where each run gets a folder of its own."""

    def run(  # noqa: PLR0913
        self,
        caller: Caller,
        trigger: Trigger,
        *,
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        run_id: int = 1,
        attempt: int = 1,
        earlier_artifacts: Collection[str] = (),
        timeout: float = 120,
    ) -> Outcome:
        """Run all workflows of the caller that the event starts.

        `variables` are those of the runner. A re-run is a second attempt, beside which the artifacts of the first still
        stand: `earlier_artifacts`. What a run saves with actions/cache, the caller's next one finds.
        """
        folder = Path(mkdtemp(prefix="run-", dir=self.folder))
        repositories = local_repositories(self.product, caller.folder)
        event = folder / "event.json"
        event.write_text(json.dumps(trigger.payload))
        artifact_port = _free_port()
        places = {
            "E2E_CALLER": str(caller.folder),
            "E2E_PRODUCT": str(self.product),
            "E2E_PRODUCT_NAME": NAME,
            "E2E_NODE_MODULES": str(_NODE_MODULES),
            "LD_LIBRARY_PATH": LIBDUCKDB,
        }
        # A runner begins with an empty home; what installers have downloaded before is found all the same.
        home = self.folder / "homes" / caller.name
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        places |= {"HOME": str(home), "UV_CACHE_DIR": _cache_of("uv"), "PIP_CACHE_DIR": _cache_of("pip")}
        if (settings := Path.home() / ".config/pip/pip.conf").is_file():
            places["PIP_CONFIG_FILE"] = str(settings)
        run = {"GITHUB_RUN_ID": run_id, "GITHUB_RUN_ATTEMPT": attempt, "GITHUB_API_URL": self.github.url}
        options = [
            *("--platform", "ubuntu-latest=-self-hosted"),
            *("--directory", str(caller.folder)),
            *("--eventpath", str(event)),
            *("--action-cache-path", str(folder / "actions")),  # also holds the workspace, RUNNER_TEMP, tools
            *("--cache-server-path", str(self.cache_of(caller))),
            *("--cache-server-addr", "127.0.0.1"),
            *("--artifact-server-path", str(folder / "artifacts")),
            *("--artifact-server-addr", "127.0.0.1"),
            *("--artifact-server-port", str(artifact_port)),
            *_each("--local-repository", repositories),
            *_each("--env", {**places, **run, **(variables or {})}),
            *_each("--secret", {"GITHUB_TOKEN": self.github.token, **(secrets or {})}),
        ]
        switches = ["--json", "--verbose", "--rm", "--no-skip-checkout"]  # only verbose names skipped steps
        with artifact_proxy(artifact_port, earlier_artifacts) as proxy:
            environment = {**_bare_environment(), "ACTIONS_RUNTIME_URL": proxy, "ACTIONS_RESULTS_URL": proxy}
            exit_code, lines, log = _call([_act(), trigger.event, *switches, *options], environment, timeout)
        (folder / "act.jsonl").write_text("\n".join(lines))
        return Outcome(exit_code, read_jobs(lines), log, _artifacts(folder / "artifacts"))

    def cache_of(self, caller: Caller) -> Path:
        """Where the caches of the caller's repository lie; to remove the folder empties them."""
        return self.folder / "caches" / caller.name


def _cache_of(installer: str) -> str:
    """Where an installer keeps its downloads on this machine."""
    given = os.environ.get(f"{installer.upper()}_CACHE_DIR")
    return given or str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / installer)


def _act() -> str:
    beside = Path(sys.executable).with_name("act")
    found = str(beside) if beside.exists() else shutil.which("act")
    if not found or not shutil.which("node"):
        raise FileNotFoundError("The end-to-end tests need act (requirements-dev.txt brings it) and node")
    if not _NODE_MODULES.is_dir():
        raise FileNotFoundError(f"{_NODE_MODULES} is missing: run `npm ci --prefix tests --ignore-scripts`")
    return found


def _bare_environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.lower() in _KEPT or name.startswith(_KEPT_PREFIXES)
    }


def _call(command: list[str], environment: dict[str, str], timeout: float) -> tuple[int, list[str], str]:
    """Exit code, JSON lines, and everything that can be read as text; nothing is left running."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    lines = [line for line in output.splitlines() if line.startswith("{")]
    other = [line for line in output.splitlines() if not line.startswith("{")]
    said = [event["msg"].rstrip("\n") for event in map(json.loads, lines) if event.get("level") != "debug"]
    return process.returncode, lines, "\n".join([*said, *other])


def _artifacts(folder: Path) -> dict[str, dict[str, bytes]]:
    """Every uploaded artifact, unpacked: name, then file, then content."""
    artifacts = {}
    for path in folder.rglob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            artifacts[path.stem] = {name: archive.read(name) for name in archive.namelist()}
    return artifacts


def _each(option: str, values: Mapping[str, object]) -> list[str]:
    return [part for name, value in values.items() for part in (option, f"{name}={value}")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
