"""Starts the programs of this folder under the Pythons whose bytecode is rewritten: CPython 3.9 to 3.11."""

from __future__ import annotations

import ast
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.interpreters import INTERPRETERS, ROOT, Interpreter

if TYPE_CHECKING:
    from types import TracebackType

HERE = Path(__file__).parent
REWRITTEN = [one for one in INTERPRETERS if not one.is_pypy and one.version < (3, 12)]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}
    path = os.pathsep.join((str(ROOT / "protocol"), str(ROOT / "server")))
    return {**kept, "PYTHONPATH": path, "PYTHONWARNINGS": "error", "PYTHONDONTWRITEBYTECODE": "1"}


def run(interpreter: Interpreter, program: str, *arguments: str, timeout: float = 60) -> str:
    """Run a program of this folder to its end; what it printed. It must succeed and say nothing on stderr."""
    command = [interpreter.path, "-B", str(HERE / program), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, env=environment(), check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{done.stdout}\n{done.stderr}"
    return done.stdout


def functions_of(program: str, prefix: str = "") -> list[str]:
    """The names of the functions without parameters in a program of this folder."""
    body = ast.parse((HERE / program).read_text()).body
    functions = (one for one in body if isinstance(one, ast.FunctionDef) and not one.args.args)
    return [one.name for one in functions if one.name.startswith(prefix)]


class Worker:
    """`worker.py` in one Python, asked again and again."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self._process = subprocess.Popen(
            [interpreter.path, "-B", str(HERE / "worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(),
        )  # fmt: skip

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate(timeout=10)

    def ask(self, source: str, entry: str, timeout: float = 60) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"source": source, "entry": entry}).encode() + b"\n")
        self._process.stdin.flush()
        deadline = time.monotonic() + timeout
        answer = b""
        while not answer.endswith(b"\n"):
            ready, _, _ = select.select([self._process.stdout], [], [], deadline - time.monotonic())
            assert ready, "the worker does not answer"
            piece = os.read(self._process.stdout.fileno(), 1 << 16)
            assert piece, f"the worker died: {self._process.wait(timeout=10)}"
            answer += piece
        reply: dict[str, Any] = json.loads(answer)
        assert "failure" not in reply, reply["failure"]
        return reply


def assert_alike(reply: dict[str, Any], exactly: bool = True) -> None:
    """Hooks were called where a tracer saw lines, and nothing else about the program changed."""
    plain = reply["outcomes"][0]
    assert reply["outcomes"] == [plain] * 4
    assert reply["hooked_while_traced"] == reply["hooked"]
    if exactly:
        assert reply["hooked"] == reply["traced"]
        assert reply["traced_while_hooked"] == reply["traced_without_repeats"]
    else:
        assert _is_within(reply["traced"], reply["hooked"])
        assert len(reply["hooked"]) <= len(reply["traced"]) * 1.05 + 3


def _is_within(part: list[Any], whole: list[Any]) -> bool:
    rest = iter(whole)
    return all(line in rest for line in part)
