"""Build the tool environment: ``python3 -I bootstrap.py FOLDER`` makes ``FOLDER/tool``, with uv in it.

Like cache_key.py it runs on whatever ``python3`` there is, with the standard library and pip alone, so its syntax is
that of old Pythons too: they shall read a sentence, not a traceback.

pip downloads uv into ``FOLDER/uv``, by the hash in requirements-tool.txt; uv does the rest, likewise by hash. Where
the environment variable HEADLESS_DBT_KEPT names a folder that is kept from run to run, uv's wheel is kept there.
A ready environment of the same lock and Python is left as it is. In a GitHub step it sets the outputs ``python`` (the
tool environment's interpreter) and ``folder``.
"""

import hashlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

OLDEST_PYTHON = (3, 11)
PACKAGE = Path(__file__).resolve().parent
LOCK = PACKAGE.parents[1] / "requirements-tool.txt"


class Wheel(NamedTuple):
    """A wheel: the name of its file, and what is in it."""

    name: str
    content: bytes


class BootstrapError(Exception):
    """What stood in the way, as a sentence."""


def requirement(lock_text, name):
    """The lines of one package in a hash lock, continuation lines included."""
    match = re.search(r"^%s==[^\\\n]*(?:\\\n[^\\\n]*)*" % re.escape(name), lock_text, re.MULTILINE)
    if match is None:
        raise BootstrapError("requirements-tool.txt does not pin %s. Lock it again." % name)
    return match.group(0) + "\n"


def call(arguments, doing):
    """Run a command; its output is shown only where it fails."""
    # pip is asked for a file alone: people who want no package outside of an environment are not in its way. And a
    # constraint without hashes is nothing to what is pinned with them.
    away = ("PYTHONPATH", "PIP_REQUIRE_VIRTUALENV", "PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_OVERRIDE")
    environment = {name: value for name, value in os.environ.items() if name not in away}
    process = subprocess.run(  # noqa: S603
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if process.returncode != 0:
        reason = process.stdout.decode("utf-8", "replace").strip()
        raise BootstrapError("%s failed. Run the job again if the package index was away. %s" % (doing, reason))


def has_pip():
    """Whether the running Python has pip; one in an environment that uv made has none."""
    return importlib.util.find_spec("pip") is not None


def pip_python(folder):
    """A Python that has pip: the running one, or that of an environment of its own."""
    if has_pip():
        return sys.executable
    call(
        [sys.executable, "-I", "-m", "venv", "--clear", str(folder / "pip")],
        "Getting pip, which python3 does not have,",
    )
    return str(folder / "pip" / "bin" / "python")


def download(folder, pin):
    """Have pip download uv into ``folder``."""
    folder.mkdir(parents=True)
    pin_file = folder / "uv-requirement.txt"
    pin_file.write_text(pin, "utf-8")
    pip = [pip_python(folder.parent), "-I", "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    hashed = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(pin_file)]
    call(pip + hashed + ["--dest", str(folder)], "Getting uv with pip")


def wheel_of(pin, folder):
    """The wheel that has a hash of the lock, or None."""
    allowed = set(re.findall("--hash=sha256:([0-9a-f]+)", pin))
    for file in sorted(folder.glob("uv-*.whl")):
        try:
            content = file.read_bytes()
        except OSError:
            continue
        if hashlib.sha256(content).hexdigest() in allowed:
            return Wheel(file.name, content)
    return None


def keep(wheel, folder):
    """Put a wheel where the next run finds it. Where that cannot be written, the next run downloads it, too."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for other in folder.glob("uv-*"):
            other.unlink()  # Of another version, broken, or half written.
        # Whole or not at all: another job of this machine may look for it now.
        temporary = folder / ("%s.%d" % (wheel.name, os.getpid()))
        temporary.write_bytes(wheel.content)
        os.replace(str(temporary), str(folder / wheel.name))
    except OSError:
        pass


def install_uv(folder, lock_text, kept):
    """Unpack uv's binary, which pip downloads unless its wheel is in ``kept`` (a path, or empty); return its path."""
    uv = folder / "uv" / "bin" / "uv"
    pin = requirement(lock_text, "uv")
    stamp = folder / "uv" / "pin.txt"
    if uv.is_file() and stamp.is_file() and stamp.read_text("utf-8") == pin:
        return uv
    shutil.rmtree(str(uv.parents[1]), ignore_errors=True)
    wheel = wheel_of(pin, Path(kept)) if kept else None
    if wheel is None:
        downloaded = folder / "uv" / "wheel"
        download(downloaded, pin)
        wheel = wheel_of(pin, downloaded)
        if wheel is None:
            raise BootstrapError("pip downloaded no uv that requirements-tool.txt allows. Lock it again.")
        shutil.rmtree(str(downloaded))
        if kept:
            keep(wheel, Path(kept))
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        [binary] = [name for name in archive.namelist() if name.endswith(".data/scripts/uv")]
        uv.parent.mkdir(parents=True)
        uv.write_bytes(archive.read(binary))
    uv.chmod(0o755)
    stamp.write_text(pin, "utf-8")
    return uv


def build(folder, python, kept):
    """Build the tool environment; return its interpreter.

    ``python`` is a version, a path, or empty; ``kept`` is the folder that is kept from run to run, or empty.
    """
    lock_text = LOCK.read_text("utf-8")
    tool = folder / "tool"
    stamp = tool / "headless-dbt-lock.txt"
    identity = "\n".join([lock_text, python or sys.executable, str(PACKAGE)])
    wanted = hashlib.sha256(identity.encode("utf-8")).hexdigest()
    interpreter = tool / "bin" / "python"
    if interpreter.exists() and stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return interpreter
    uv = install_uv(folder, lock_text, kept)
    venv = [str(uv), "venv", "--quiet", "--no-project", "--clear"]
    call([*venv, "--python", python or sys.executable, str(tool)], "Making the tool environment")
    # uv is there already; as a wheel it is larger than all the others.
    rest = folder / LOCK.name
    rest.write_text(lock_text.replace(requirement(lock_text, "uv"), ""), "utf-8")
    call(
        [str(uv), "pip", "sync", "--quiet", "--no-build", "--require-hashes", "--python", str(interpreter), str(rest)],
        "Installing the tool environment",
    )
    (tool / "bin" / "uv").symlink_to(uv)
    # The verbs start with `-I`, which keeps the caller's PYTHONPATH out; this names the one folder they need.
    site_packages = next(tool.glob("lib/python3*/site-packages"))
    (site_packages / "headless_dbt.pth").write_text("%s\n" % PACKAGE.parent, "utf-8")
    stamp.write_text(wanted, "utf-8")
    return interpreter


def choose_and_build(folder, wanted, kept):
    """Build with the Python that was asked for, else with the one that runs.

    A `python-version` that is wrong or not to be had is for `run` to refuse: it tells the report and the issue too.
    """
    running = sys.version_info[:2]
    try:
        if re.match(r"3\.(1[1-9]|[2-9]\d)(\.\d+)?$|/", wanted):
            return build(folder, wanted, kept)
    except BootstrapError:
        if running < OLDEST_PYTHON:
            raise
    if running < OLDEST_PYTHON:
        raise BootstrapError(
            "The runner's python3 is %d.%d; headless-dbt needs 3.11 or newer. "
            "Set the input `python-version` to 3.12, for example." % running
        )
    return build(folder, "", kept)


def main():
    """Build, and name the result; return the exit code."""
    folder = Path(sys.argv[1]).resolve()
    try:
        wanted = os.environ.get("HEADLESS_DBT_PYTHON_VERSION", "").strip()
        interpreter = choose_and_build(folder, wanted, os.environ.get("HEADLESS_DBT_KEPT", ""))
    except BootstrapError as error:
        text = "headless-dbt could not be installed: %s" % error
        if os.environ.get("GITHUB_ACTIONS") == "true":
            escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
            text = "::error title=headless-dbt could not be installed::" + escaped
        print(text, flush=True)
        return 3
    output_file = os.environ.get("GITHUB_OUTPUT")
    if output_file:
        with open(output_file, "a", encoding="utf-8") as stream:
            stream.write("python=%s\nfolder=%s\n" % (interpreter, folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
