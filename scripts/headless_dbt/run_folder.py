"""The run folder: where each file of a run lies, and how it is written: whole, or not at all."""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from headless_dbt.artifacts import UNREADABLE
from headless_dbt.code_manifest import Code
from headless_dbt.errors import RequestError, RunFolderError
from headless_dbt.model import Attempt, Check, Command, Continued, Installation, Problem, Request, Run

# Artifacts of which the last one that dbt wrote is the final one; results are merged.
COPIED_ARTIFACTS = ("manifest.json", "sources.json")
# dbt leaves these beside its artifacts; they are large, serve dbt alone, and cannot be redacted.
# The last is a folder of dbt 2, of its parse.
_DBT_INTERNAL = ("partial_parse.msgpack", "graph.gpickle", "metadata")

# As google-github-actions/auth calls its file, and gcloud its own.
_CREDENTIALS = re.compile(r"^gc?ha-creds-|credentials[^/]*\.(?:json|db)$|^access_tokens\.db$", re.IGNORECASE)

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor saw: session.json. It is written anew after each command, so a kill loses nothing.

    ``selected`` are the unique ids that the build was to build; None where dbt did not get that far.
    ``stale_sources`` are those whose branch was left out, ``session`` is dbt's process id. ``elapsed`` is in seconds.
    """

    started_at: str
    elapsed: float = 0.0
    finished: bool = False
    session: int = 0
    installation: Installation | None = None
    selected: tuple[str, ...] | None = None
    stale_sources: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    checks: tuple[Check, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    continued: Continued | None = None
    problem: Problem | None = None


class _Kept(msgspec.Struct):
    secrets: list[str] = []
    credentials: str = ""


@dataclass(frozen=True)
class RunFolder:
    """The files of one run."""

    path: Path

    @property
    def journal(self) -> Path:
        """dbt's JSON log."""
        return self.path / "dbt.log"

    @property
    def jobs(self) -> Path:
        """What BigQuery said of each job, one JSON object a line."""
        return self.path / "jobs.jsonl"

    @property
    def summary(self) -> Path:
        """The summary as Markdown."""
        return self.path / "summary.md"

    @property
    def page(self) -> Path:
        """The report as one HTML page."""
        return self.path / "report.html"

    @property
    def catalog(self) -> Path:
        """dbt's catalog, when docs were asked for."""
        return self.path / "catalog.json"

    @property
    def docs_page(self) -> Path:
        """The docs site as one page, when docs were asked for."""
        return self.path / "docs.html"

    def artifact(self, name: str) -> Path:
        """One of dbt's artifacts, final."""
        return self.path / name

    def attempt(self, number: int) -> Path:
        """The folder of one attempt's artifacts; dbt's target path."""
        return self.path / "attempts" / str(number)

    def attempts(self) -> list[Path]:
        """The folders of the attempts, in their order."""
        folders = [path for path in (self.path / "attempts").glob("*") if path.name.isdecimal()]
        return sorted(folders, key=lambda path: int(path.name))

    def write_request(self, request: Request) -> None:
        """Write request.json."""
        self._write_struct("request.json", request)

    def read_request(self) -> Request:
        """Read request.json. Raises RunFolderError."""
        return self._read_struct("request.json", Request)

    def write_session(self, record: SessionRecord) -> None:
        """Write session.json."""
        self._write_struct("session.json", record)

    def read_session(self) -> SessionRecord:
        """Read session.json. Raises RunFolderError."""
        return self._read_struct("session.json", SessionRecord)

    def write_code(self, code: Code) -> None:
        """Write code.json."""
        self._write_struct("code.json", code)

    def read_code(self) -> Code:
        """Read code.json. Raises RunFolderError."""
        return self._read_struct("code.json", Code)

    def write_run(self, run: Run) -> None:
        """Write run.json."""
        self._write_struct("run.json", run)

    def read_run(self) -> Run:
        """Read run.json. Raises RunFolderError."""
        return self._read_struct("run.json", Run)

    def keep_secrets(self, secrets: Iterable[str], credentials: Path | None = None) -> None:
        """Keep the secrets beside the folder while the run lasts, readable by this user alone.

        Whoever finishes a run that was killed has to take them out of its files, and to remove the folder of its
        ``credentials``.
        """
        values = sorted(secrets)
        if values or credentials:
            kept = _Kept(secrets=values, credentials=str(credentials or ""))
            # Whole or not at all: a kill in the middle must not lose what was kept before.
            descriptor = os.open(self._secrets_to_be, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(msgspec.json.encode(kept))
            self._secrets_to_be.replace(self._secrets)

    def read_secrets(self) -> frozenset[str]:
        """The secrets of a run that did not end by itself."""
        return frozenset(self._kept().secrets)

    def forget_secrets(self) -> None:
        """Remove what `keep_secrets` kept, and the credentials."""
        if folder := self._kept().credentials:
            shutil.rmtree(folder, ignore_errors=True)
        self._secrets.unlink(missing_ok=True)
        self._secrets_to_be.unlink(missing_ok=True)

    def _kept(self) -> "_Kept":
        try:
            return msgspec.json.decode(self._secrets.read_bytes(), type=_Kept)
        except (OSError, *UNREADABLE):
            return _Kept()

    @property
    def _secrets(self) -> Path:
        return self.path.with_name(f".{self.path.name}.secrets")

    @property
    def _secrets_to_be(self) -> Path:
        return self._secrets.with_name(self._secrets.name + ".new")

    def drop_strangers(self) -> None:
        """Drop what no run writes and an upload would take along: links, and credentials that other actions left."""
        for file in self.path.rglob("*"):
            if file.is_symlink() or (_CREDENTIALS.search(file.name) and file.is_file()):
                file.unlink()

    def drop_dbts_own(self) -> None:
        """Drop what serves dbt alone."""
        for attempt in self.attempts():
            for name in _DBT_INTERNAL:
                if (attempt / name).is_dir() and not (attempt / name).is_symlink():
                    shutil.rmtree(attempt / name, ignore_errors=True)
                else:
                    (attempt / name).unlink(missing_ok=True)

    def keep_docs(self, target_path: Path) -> None:
        """Keep the docs page and the catalog that ``dbt docs generate --static`` wrote, and nothing else."""
        for source, kept in (("static_index.html", self.docs_page), ("catalog.json", self.catalog)):
            if is_own_file(target_path / source):
                self.write(kept.name, (target_path / source).read_bytes())
        shutil.rmtree(target_path, ignore_errors=True)

    def keep(self, artifact: Path) -> None:
        """Put an artifact of an attempt to the top of the folder too; it takes no room there, where links are."""
        beside = self.path / f".{artifact.name}-link"
        try:
            beside.unlink(missing_ok=True)
            os.link(artifact, beside)
        except OSError:
            self.write(artifact.name, artifact.read_bytes())
        else:
            beside.replace(self.path / artifact.name)
            # Of two links to the same file neither replaces the other.
            beside.unlink(missing_ok=True)

    def write(self, name: str, content: bytes) -> Path:
        """Write a file whole or not at all: a temporary file beside it, then a rename."""
        descriptor, temporary = tempfile.mkstemp(dir=self.path, prefix=f".{name}-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(self.path / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return self.path / name

    def _write_struct(self, name: str, value: Any) -> None:
        self.write(name, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")

    def _read_struct(self, name: str, kind: type[_Struct]) -> _Struct:
        file = self.path / name
        try:
            return msgspec.json.decode(file.read_bytes(), type=kind)
        except FileNotFoundError:
            raise RunFolderError(
                f"{file} is missing: `headless-dbt run` did not get to write it. Look at the steps before this one."
            ) from None
        except UNREADABLE as error:
            raise RunFolderError(f"{file} is not readable: {error}.") from None


def is_own_file(path: Path) -> bool:
    """Whether a file stands here itself: a link would bring along what lies elsewhere, such as a key."""
    return path.is_file() and not path.is_symlink()


def find_run_folder(given: str, workspace: Path, project_dir: Path) -> RunFolder:
    """The run folder that was named, else the newest one of the project. Raises RequestError."""
    return RunFolder((workspace / given).resolve()) if given else latest_run_folder(project_dir)


def new_run_folder(given: str, project_dir: Path, stamp: str) -> RunFolder:
    """Make the folder of a run.

    ``given`` must be missing or empty, so that no older run can be taken for this one; without it a fresh
    folder named after ``stamp`` (a time) is made under the project's ``target/headless_dbt/``, or under the
    system's temporary folder where there is no such project. Raises RequestError.
    """
    if not given:
        return RunFolder(_fresh_folder(project_dir, stamp))
    path = Path(given).resolve()
    try:
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            path.mkdir(parents=True, exist_ok=True)
            return RunFolder(path)
        what = "which is not an empty folder"
    except OSError as error:
        what = f"which cannot be made ({error.strerror})"
    raise RequestError(
        "run-folder",
        given=f"{given!r}, {what}",
        allowed="a new or an empty folder",
        advice="Name another one, or leave it out.",
    )


def _fresh_folder(project_dir: Path, stamp: str) -> Path:
    # A project that is not there, or that cannot be written to, is a thing to report, not one to make.
    if (project_dir / "dbt_project.yml").is_file():
        with contextlib.suppress(OSError):
            return _made_under(project_dir / "target" / "headless_dbt", stamp)
    return _made_under(Path(tempfile.gettempdir()) / "headless_dbt", stamp)


def _made_under(parent: Path, stamp: str) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix=f"{stamp}-", dir=parent))
    path.chmod(0o755)
    return path


def latest_run_folder(project_dir: Path) -> RunFolder:
    """The newest run folder of a project. Raises RequestError where there is none."""
    parent = project_dir / "target" / "headless_dbt"
    folders = sorted(path for path in parent.glob("*") if (path / "request.json").is_file())
    if not folders:
        raise RequestError(
            "run-folder",
            given="none, and there is no run under " + str(parent),
            allowed="the folder of a run",
            advice="Name it with --run-folder, or run `headless-dbt run` first.",
        )
    return RunFolder(folders[-1])
