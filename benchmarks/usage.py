"""Run a command, and print what it used as JSON: ``python benchmarks/usage.py COMMAND …``.

A process of its own, and a small one: on Linux a new process counts the memory of the one that started it as its own.
"""

import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Run it without its output; print seconds by the clock and of the processor, and megabytes at the most."""
    command = sys.argv[1:]
    with Path(os.devnull).open("w") as nothing:
        began = time.perf_counter()
        silent = [(os.POSIX_SPAWN_DUP2, nothing.fileno(), 1)]
        _, status, usage = os.wait4(os.posix_spawn(command[0], command, os.environ, file_actions=silent), 0)
    used = {"seconds": time.perf_counter() - began, "processor": usage.ru_utime, "megabytes": usage.ru_maxrss / 1024}
    print(json.dumps({"status": status, **used}))


if __name__ == "__main__":
    main()
