"""The dbt environment: dbt-core and an adapter, built by uv, from the hash lock wherever it can serve."""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headless_dbt.errors import DbtUnusableError
from headless_dbt.parsing import is_rust_engine

# Says what an environment was built from, once it is ready.
STAMP = "headless-dbt-requirements.txt"
LOCKED_ADAPTERS = ("bigquery", "duckdb")
INSTALL_ADVICE = (
    "Correct `dbt-version`, `adapter-version`, `adapter` or `requirements`; if the package index was away, run again."
)
PYTHON_ADVICE = "Correct `python-version`, or leave it out for the runner's own python3."


@dataclass(frozen=True)
class DbtRequirements:
    """What to install: either a whole hash-locked file, or requirement lines for uv to resolve."""

    lock: Path | None
    lines: tuple[str, ...]
    excludes: Path

    @property
    def requested(self) -> tuple[str, ...]:
        """What was asked for, for the log and run.json."""
        if self.lock is None:
            return self.lines
        locked = locked_versions(self.lock.read_text("utf-8"))
        return tuple(f"{name}=={locked[name]}" for name in ("dbt-core", *(f"dbt-{name}" for name in LOCKED_ADAPTERS)))


def lock_folder() -> Path:
    """Where requirements.txt lies: beside the package when installed, else at the root of the checkout."""
    package = Path(__file__).resolve().parent
    return package if (package / "requirements.txt").is_file() else package.parents[1]


def dbt_requirements(  # noqa: PLR0913  The first four are inputs of their own.
    adapter: str, core: str, adapter_version: str, own: Path | None, locks: Path, *, python_models: bool
) -> DbtRequirements:
    """Decide what to install.

    ``core`` and ``adapter_version`` are ``1.11.16``, ``1.11`` or empty; ``own`` is the caller's requirements
    file. A lock serves as it is when no version was asked for and it holds the adapter: the one with everything
    where there are ``python_models``, else the one without what they alone need. dbt 2 is one package, which has its
    adapters in it.
    """
    excludes = locks / "requirements-excludes.txt"
    if is_rust_engine(core):
        file = [f"-r {own}"] if own is not None else []
        return DbtRequirements(lock=None, lines=(*file, _pin("dbt", core)), excludes=excludes)
    package = f"dbt-{adapter}"
    if own is not None:
        asked = [_pin("dbt-core", core)] * bool(core) + [_pin(package, adapter_version)] * bool(adapter_version)
        return DbtRequirements(lock=None, lines=(f"-r {own}", *asked), excludes=excludes)
    if not core and not adapter_version and adapter in LOCKED_ADAPTERS:
        lock = "requirements-python-models.txt" if python_models else "requirements.txt"
        return DbtRequirements(lock=locks / lock, lines=(), excludes=excludes)
    locked = locked_versions((locks / "requirements.txt").read_text("utf-8"))
    adapter_line = _pin(package, adapter_version or locked.get(package, ""))
    return DbtRequirements(
        lock=None, lines=(_pin("dbt-core", core or locked["dbt-core"]), adapter_line), excludes=excludes
    )


def unpinned(adapter: str, core: str, adapter_version: str, own: Path | None) -> Iterator[str]:
    """What may be another version tomorrow, as warnings."""
    if own is not None:
        for line in own.read_text("utf-8", "replace").splitlines():
            requirement = line.partition("#")[0].strip()
            if re.match(r"[A-Za-z0-9]", requirement) and "==" not in requirement and "@" not in requirement:
                yield f"`requirements` does not pin {requirement.split()[0]!r}: write it as name==version."
    elif adapter not in LOCKED_ADAPTERS and not adapter_version and not is_rust_engine(core):
        yield f"The newest dbt-{adapter} that fits is installed: set `adapter-version` to pin it."


def locked_versions(lock_text: str) -> dict[str, str]:
    """The versions of a lock, by package name."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", lock_text, re.MULTILINE))


def _pin(package: str, version: str) -> str:
    if not version:
        return package
    return f"{package}=={version}.*" if version.count(".") == 1 else f"{package}=={version}"


def build_dbt_environment(
    folder: Path, requirements: DbtRequirements, python: str, environment: Mapping[str, str]
) -> Path:
    """Build the environment in ``folder``, unless it stands there already; return its interpreter.

    ``python`` is a version, a path, or empty for the running interpreter. Raises DbtUnusableError with uv's
    own reason.
    """
    uv = _find_uv()
    blame = f"dbt could not be installed from {', '.join(requirements.requested)}"
    interpreter = folder / "bin" / "python"
    stamp = folder / STAMP
    # A copy of the folder under another path is not the environment that was built.
    wanted = f"{fingerprint(requirements, python or sys.executable)} {folder}"
    with _lock(folder):
        if interpreter.exists() and stamp.is_file() and stamp.read_text("utf-8") == wanted:
            return interpreter
        arguments = [
            uv,
            "venv",
            "--quiet",
            "--no-project",
            "--clear",
            "--python",
            python or sys.executable,
            str(folder),
        ]
        _call(
            arguments,
            environment,
            f"There is no Python {python or sys.executable} for dbt's environment",
            PYTHON_ADVICE,
        )
        install = [uv, "pip", "install", "--quiet", "--python", str(interpreter)]
        if requirements.lock is not None:
            # The lock is complete: what it leaves out on purpose must not come back as a dependency.
            locked = ["--no-build", "--no-deps", "--require-hashes", "-r", str(requirements.lock)]
            _call([*install, *locked], environment, blame, INSTALL_ADVICE)
        else:
            lines = [part for line in requirements.lines for part in line.split(" ", 1)]
            _call([*install, "--excludes", str(requirements.excludes), *lines], environment, blame, INSTALL_ADVICE)
        stamp.write_text(wanted, "utf-8")
    return interpreter


def fingerprint(requirements: DbtRequirements, python: str) -> str:
    """What identifies an environment: the content of every file that it is built from, and the Python."""
    digest = hashlib.sha256(python.encode())
    for line in requirements.lines:
        digest.update(line.encode() + b"\n")
        if line.startswith("-r "):
            for file in _with_named_files(Path(line.removeprefix("-r "))):
                digest.update(file.read_bytes())
    if requirements.lock is not None:
        digest.update(requirements.lock.read_bytes())
    return digest.hexdigest()


def _with_named_files(file: Path) -> Iterator[Path]:
    """A requirements file and those that it names, as far as they are there."""
    waiting, seen = [file], set()
    while waiting:
        file = waiting.pop()
        if file in seen or not file.is_file():
            continue
        seen.add(file)
        yield file
        text = file.read_text("utf-8", "replace")
        named = re.findall(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]\s*(\S+)", text, re.MULTILINE)
        waiting.extend(file.parent / name for name in named)


def _find_uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if not found:
        raise DbtUnusableError(
            "dbt is not installed here, and uv, which would install it, is not either. "
            "Install dbt into this environment, or name its interpreter with --dbt-python."
        )
    return found


def _call(arguments: list[str], environment: Mapping[str, str], blame: str, advice: str) -> None:
    # To compile all of an environment takes longer than what a run imports of it. And what a lock pins by hash needs no
    # constraint of the machine's owner: uv refuses one that has none.
    away = ("UV_COMPILE_BYTECODE", *(("UV_CONSTRAINT", "UV_OVERRIDE") if "--require-hashes" in arguments else ()))
    around = {name: value for name, value in environment.items() if name not in away}
    process = subprocess.run(  # noqa: S603  The arguments are ours; the versions in them have been checked.
        arguments, env=around, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if process.returncode != 0:
        reason = process.stdout.decode("utf-8", "replace").strip()
        raise DbtUnusableError(f"{blame}. {advice} uv says: {reason}")


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold off another run that would build the same environment at the same time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
