"""Build the tool environment: ``python3 -I bootstrap.py FOLDER`` makes ``FOLDER/tool``, with uv in it.

This is the one module that runs on whatever ``python3`` there is, with the standard library and pip alone, so
its syntax is that of old Pythons too: they shall read a sentence, not a traceback.

pip installs uv into ``FOLDER/uv``, by the hash in requirements-tool.txt; uv does the rest, likewise by hash.
A ready environment of the same lock and Python is left as it is. In a GitHub step it sets the outputs
``python`` (the tool environment's interpreter), ``folder``, ``kept`` (what GitHub's cache keeps) and ``cache-key``
(how the keys of it begin).
"""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
PACKAGE = Path(__file__).resolve().parent
LOCK = PACKAGE.parents[1] / "requirements-tool.txt"
# The inputs that decide what a run keeps for the next one.
CACHED_BY = (
    "ADAPTER",
    "DBT_VERSION",
    "ADAPTER_VERSION",
    "PYTHON_VERSION",
    "PROJECT_DIR",
    "PROFILES_DIR",
    "TARGET",
    "VARS",
)


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
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
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


def install_uv(folder, lock_text):
    """Install uv with pip; return its path."""
    uv = folder / "uv" / "bin" / "uv"
    pin = requirement(lock_text, "uv")
    stamp = folder / "uv" / "pin.txt"
    if uv.is_file() and stamp.is_file() and stamp.read_text("utf-8") == pin:
        return uv
    shutil.rmtree(str(uv.parents[1]), ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    pin_file = folder / "uv-requirement.txt"
    pin_file.write_text(pin, "utf-8")
    pip = [
        pip_python(folder),
        "-I",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--require-hashes",
    ]
    call([*pip, "--no-deps", "--target", str(uv.parents[1]), "-r", str(pin_file)], "Installing uv with pip")
    pin_file.unlink()
    stamp.write_text(pin, "utf-8")
    return uv


def build(folder, python):
    """Build the tool environment; return its interpreter. ``python`` is a version, a path, or empty."""
    lock_text = LOCK.read_text("utf-8")
    tool = folder / "tool"
    stamp = tool / "headless-dbt-lock.txt"
    identity = "\n".join([lock_text, python or sys.executable, str(PACKAGE)])
    wanted = hashlib.sha256(identity.encode("utf-8")).hexdigest()
    interpreter = tool / "bin" / "python"
    if interpreter.exists() and stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return interpreter
    uv = install_uv(folder, lock_text)
    venv = [str(uv), "venv", "--quiet", "--no-project", "--clear"]
    call([*venv, "--python", python or sys.executable, str(tool)], "Making the tool environment")
    call(
        [str(uv), "pip", "sync", "--quiet", "--no-build", "--require-hashes", "--python", str(interpreter), str(LOCK)],
        "Installing the tool environment",
    )
    # The verbs start with `-I`, which keeps the caller's PYTHONPATH out; this names the one folder they need.
    site_packages = next(tool.glob("lib/python3*/site-packages"))
    (site_packages / "headless_dbt.pth").write_text("%s\n" % PACKAGE.parent, "utf-8")
    stamp.write_text(wanted, "utf-8")
    return interpreter


def choose_and_build(folder, wanted):
    """Build with the Python that was asked for, else with the one that runs.

    A `python-version` that is wrong or not to be had is for `run` to refuse: it tells the report and the issue too.
    """
    running = sys.version_info[:2]
    try:
        if re.match(r"3\.(1[1-9]|[2-9]\d)(\.\d+)?$|/", wanted):
            return build(folder, wanted)
    except BootstrapError:
        if running < OLDEST_PYTHON:
            raise
    if running < OLDEST_PYTHON:
        raise BootstrapError(
            "The runner's python3 is %d.%d; headless-dbt needs 3.11 or newer. "
            "Set the input `python-version` to 3.12, for example." % running
        )
    return build(folder, "")


def cache_of(interpreter):
    """The folder that GitHub's cache keeps from run to run, and how its keys begin; both empty where none is wanted.

    By all that decides what is in it: dbt and its Python, the machine, which project is parsed, and for which target.
    """
    if os.environ.get("HEADLESS_DBT_CACHE", "").strip().lower() == "false":
        return "", ""
    environment = (interpreter.parents[1] / "pyvenv.cfg").read_text("utf-8")
    parts = re.findall(r"^version.*", environment, re.MULTILINE)
    parts += [platform.system(), platform.machine(), (LOCK.parent / "requirements.txt").read_text("utf-8")]
    # GitHub keeps the caches of repositories apart, and the home of a machine of one's own does not.
    parts.append(os.environ.get("GITHUB_REPOSITORY", ""))
    parts += [os.environ.get("HEADLESS_DBT_" + name, "").strip() for name in CACHED_BY]
    own = Path(os.environ.get("GITHUB_WORKSPACE", ".")) / os.environ.get("HEADLESS_DBT_REQUIREMENTS", "").strip()
    try:
        parts.append(own.read_text("utf-8", "replace"))
    except OSError:
        parts.append("")  # There is none, or none that can be read: `run` says so.
    name = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Path.home() / ".cache" / "headless-dbt" / ("kept-" + name), "headless-dbt-%s-" % name


def main():
    """Build, and name the result; return the exit code."""
    folder = Path(sys.argv[1]).resolve()
    try:
        interpreter = choose_and_build(folder, os.environ.get("HEADLESS_DBT_PYTHON_VERSION", "").strip())
    except BootstrapError as error:
        text = "headless-dbt could not be installed: %s" % error
        if os.environ.get("GITHUB_ACTIONS") == "true":
            escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
            text = "::error title=headless-dbt could not be installed::" + escaped
        print(text, flush=True)
        return 3
    output_file = os.environ.get("GITHUB_OUTPUT")
    if output_file:
        kept, key = cache_of(interpreter)
        with open(output_file, "a", encoding="utf-8") as stream:
            stream.write("python=%s\nfolder=%s\nkept=%s\ncache-key=%s\n" % (interpreter, folder, kept, key))
    return 0


if __name__ == "__main__":
    sys.exit(main())
