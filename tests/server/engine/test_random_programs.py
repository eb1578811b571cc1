"""Random programs: steps, breakpoints and logpoints end where the interpreter's own tracing says.

`REMORA_FUZZ=SECONDS` goes on for so long with programs that nobody has seen, instead of some that are always
the same; `REMORA_FUZZ=SECONDS:FIRST` begins with the program of that number. What the runner prints is enough
to see it again.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from tests.support.interpreters import ROOT, Interpreter

RUNNER = Path(__file__).parent / "fuzzing" / "runner.py"
PROGRAMS = 12


def test_stops_are_those_of_a_trace(interpreter: Interpreter, tmp_path: Path) -> None:
    wanted = os.environ.get("REMORA_FUZZ", "")
    seconds, _, first = wanted.partition(":")
    what = [seconds, first or str(time.time_ns() % 10**9)] if wanted else ["30", "0", str(PROGRAMS)]
    done = subprocess.run(
        [interpreter.path, RUNNER, tmp_path, *what],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'protocol'}{os.pathsep}{ROOT / 'server'}"},
        capture_output=True,
        text=True,
        timeout=float(what[0]) + 60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    *differences, summary = map(json.loads, done.stdout.splitlines())
    assert not differences, "\n".join(map(str, differences[:5]))
    assert summary["programs"] >= PROGRAMS // 2
    assert summary["stops"] > summary["programs"]
