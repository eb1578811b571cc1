"""How long `import remora` and `import debugpy` take in fresh interpreters, by turns."""

from __future__ import annotations

import argparse
import subprocess

from benchmarks import _options
from benchmarks._figures import MS, Row, median
from benchmarks._pythons import Python
from benchmarks._target import DEBUGPY, REMORA, command_line, environment

TARGET_MS = 5.0
_PROGRAM = "import time; b = time.perf_counter(); import {name}; print(time.perf_counter() - b)"


def measure(python: Python, options: argparse.Namespace) -> list[Row]:
    names = [REMORA] if options.no_debugpy else [REMORA, DEBUGPY]
    times: dict[str, list[float]] = {name: [] for name in names}
    for name in names:  # not counted: writes the .pyc files
        _import_once(python, name)
    for _ in range(options.turns):
        for name in names:
            times[name].append(_import_once(python, name) * MS)
    return [
        Row(
            "import",
            python.version,
            "ms",
            median(times[REMORA]),
            median(times[DEBUGPY]) if DEBUGPY in times else None,
            TARGET_MS,
            details={"times": times},
        )
    ]


def _import_once(python: Python, name: str) -> float:
    command = [*command_line(python, name), "-c", _PROGRAM.format(name=name)]
    return float(subprocess.check_output(command, env=environment(name), timeout=60))


if __name__ == "__main__":
    _options.run_alone(__doc__, measure)
