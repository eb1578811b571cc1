"""Steps, by a table: the programs in `steps/` say above each function where the steps made in it have to end.

Where Pythons differ the table has several lines, with names in brackets. All of it is the interpreters'
doing: before 3.10 a `with` is not come back to when it ends, before 3.12 a comprehension is a frame of its
own, PyPy's line tables have more starts, and so on.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.interpreters import ROOT, Interpreter

FOLDER = Path(__file__).parent
FILES = sorted((FOLDER / "steps").glob("*.py"))


def outcomes(interpreter: Interpreter) -> Iterator[tuple[str, int, list[str]]]:
    """What the interpreter's own runs came to: file, line of the request, stops."""
    done = subprocess.run(
        [interpreter.path, FOLDER / "step_runner.py", *FILES],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'protocol'}{os.pathsep}{ROOT / 'server'}"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for line in done.stdout.splitlines():
        outcome = json.loads(line)
        yield outcome["file"], outcome["line"], outcome["stops"]


def test_steps_end_where_the_table_says(interpreter: Interpreter) -> None:
    wrong = []
    count = 0
    for name, number, stops in outcomes(interpreter):
        request = (FOLDER / "steps" / name).read_text().splitlines()[number - 1]
        count += 1
        if stops != request.partition("->")[2].split():
            wrong.append(f"{name}:{number}: {request}\n    went {' '.join(stops)}")
    assert not wrong, "\n".join(wrong)
    assert count > 100
