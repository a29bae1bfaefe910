"""Name what GitHub's cache keeps from run to run: ``python3 -I cache_key.py``.

It is the first thing that runs, on whatever ``python3`` there is, so its syntax is that of old Pythons too. In a GitHub
step it sets the outputs ``kept`` (the folder) and ``key`` (how the keys of it begin); both empty where none is wanted.
"""

import hashlib
import os
import platform
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-tool.txt")
# The inputs that decide what a run keeps for the next one; of variables, a parse has a name of its own.
CACHED_BY = (
    "ADAPTER",
    "DBT_VERSION",
    "ADAPTER_VERSION",
    "PYTHON_VERSION",
    "PROJECT_DIR",
    "PROFILES_DIR",
    "TARGET",
)


def cache_of(environment):
    """The folder that is kept, and how the keys of the cache begin; both empty where none is wanted.

    By all that decides what is in it: dbt and its Python, the machine, which project is parsed, and for which target.
    ``environment`` are environment variables.
    """
    if environment.get("HEADLESS_DBT_CACHE", "").strip().lower() == "false":
        return "", ""
    parts = [sys.version, platform.system(), platform.machine(), platform.libc_ver()[0]]
    parts += [(ROOT / lock).read_text("utf-8") for lock in LOCKS]
    # GitHub keeps the caches of repositories apart, and the home of a machine of one's own does not.
    parts.append(environment.get("GITHUB_REPOSITORY", ""))
    parts += [environment.get("HEADLESS_DBT_" + name, "").strip() for name in CACHED_BY]
    own = Path(environment.get("GITHUB_WORKSPACE", ".")) / environment.get("HEADLESS_DBT_REQUIREMENTS", "").strip()
    try:
        parts.append(own.read_text("utf-8", "replace"))
    except OSError:
        parts.append("")  # There is none, or none that can be read: `run` says so.
    name = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return str(Path.home() / ".cache" / "headless-dbt" / ("kept-" + name)), "headless-dbt-%s-" % name


def main():
    """Set the outputs."""
    try:
        kept, key = cache_of(os.environ)
    except (OSError, RuntimeError):
        kept = key = ""  # This user has no home, for one: then nothing is kept.
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as stream:
        stream.write("kept=%s\nkey=%s\n" % (kept, key))


if __name__ == "__main__":
    main()
