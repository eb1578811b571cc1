"""Runs a small program as a debuggee, in a process of its own, and talks to it with deadlines.

The process gets a plain `PYTHONPATH=protocol:server`, as a user's bare interpreter would. Two threads here
read its pipes, so that it never blocks on a full one; the test's thread waits on what they collected.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.support.interpreters import ROOT, Interpreter

FIXTURES = ROOT / "tests" / "fixtures"
EXAMPLES = ROOT / "examples"
PYTHONPATH = os.pathsep.join([str(ROOT / "protocol"), str(ROOT / "server")])
TIMEOUT = 20.0

_MARKER = re.compile(r"@(\w+)")
_ADDRESS = re.compile(r"^REMORA_ADDRESS (\S+) (\d+)$", re.MULTILINE)


def markers(path: str | os.PathLike[str]) -> dict[str, int]:
    """The lines of a program that a `# @name` comment names."""
    found: dict[str, int] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        _, hash_sign, comment = line.partition("# @")
        if hash_sign:
            for name in _MARKER.findall("@" + comment):
                if name in found:
                    raise ValueError(f"{path}: marker @{name} is there twice")
                found[name] = number
    return found


@cache
def runtime_folder() -> str:
    """A registry folder of this test process: short, because a Unix socket's path may have 107 bytes."""
    return tempfile.mkdtemp(prefix="rmr-", dir="/tmp" if os.path.isdir("/tmp") else None)


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would change how a Python starts."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "REMORA", "COVERAGE", "COV_", "PYTEST")) and name != "VIRTUAL_ENV"
    }
    kept["XDG_RUNTIME_DIR"] = runtime_folder()
    kept.update(extra or {})
    return kept


class _Collected:
    """Text that a pipe has given so far, and a cursor behind what was waited for already."""

    def __init__(self, pipe: IO[bytes], arrived: threading.Condition) -> None:
        self.text = ""
        self.cursor = 0
        self.ended = False
        self._pipe = pipe
        self._arrived = arrived
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while data := os.read(self._pipe.fileno(), 65536):
            with self._arrived:
                self.text += data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
                self._arrived.notify_all()
        with self._arrived:
            self.ended = True
            self._arrived.notify_all()


class Program:
    """A debuggee in a process of its own.

    Args:
        interpreter: what runs it.
        source: the name of a file under `tests/fixtures` or `examples`, a path, or (if it has a newline) the
            text itself.
        enable: keyword arguments for `remora.enable_attach`, which is then called on the program's first
            line; `None` leaves the program as it is. `address` is `("127.0.0.1", 0)` unless given.
        argv: what comes after the interpreter, in place of the script's path (for `-m remora …`);
            `{script}` in it is replaced by the script's path.
        warnings: `-W` for the interpreter.

    The program is copied to a folder of its own. A comment (or an empty line) at its top gives way to the
    call of `enable_attach`, so that no line moves; any other program has the call put before it. `line()`
    knows either way.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        source: str | os.PathLike[str],
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        enable: Mapping[str, Any] | None = None,
        *,
        argv: Sequence[str] | None = None,
        name: str | None = None,
        warnings: str = "error",
        pythonpath: str | None = PYTHONPATH,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self.interpreter = interpreter
        self.directory = Path(tempfile.mkdtemp(prefix="remora-program-"))
        self.enabled = dict(enable) if enable is not None else None
        self.path = self._lay_out(source, name)
        self._address: tuple[str, int] | None = None
        environment = clean_environment({"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"})
        if pythonpath:
            environment["PYTHONPATH"] = pythonpath
        environment.update(env or {})
        script = (
            [str(self.path)] if argv is None else [one.replace("{script}", str(self.path)) for one in argv]
        )
        self.process = subprocess.Popen(
            [interpreter.path, "-W", warnings, *script, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=cwd or self.directory,
        )
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self._stdin: IO[bytes] = self.process.stdin
        self._arrived = threading.Condition()
        self._out = _Collected(self.process.stdout, self._arrived)
        self._err = _Collected(self.process.stderr, self._arrived)

    def _lay_out(self, source: str | os.PathLike[str], name: str | None) -> Path:
        if isinstance(source, str) and "\n" in source:
            text, file_name = source, name or "program.py"
        else:
            path = Path(source)
            places = (path,) if path.is_absolute() else (FIXTURES / path, EXAMPLES / path)
            text = next((one for one in places if one.exists()), places[0]).read_text(encoding="utf-8")
            file_name = name or path.name
        if self.enabled is not None:
            text = _with_enable(text, self.enabled)
        target = self.directory / file_name
        target.write_text(text, encoding="utf-8")
        return target

    # What it is and where

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, as it said itself."""
        if self._address is None:
            found = self._wait(self._out, _ADDRESS, 0, TIMEOUT)
            self._address = found[1], int(found[2])
        return self._address

    @property
    def qualifier(self) -> str:
        """What a client is given, without the secret."""
        scheme = "tcps" if self.enabled and self.enabled.get("certfile") else "tcp"
        host, port = self.address
        return f"{scheme}://{host}:{port}"

    @property
    def secret(self) -> str | None:
        return self.enabled.get("secret") if self.enabled else None

    def line(self, marker: str) -> int:
        """The line that `# @marker` names."""
        return markers(self.path)[marker]

    def line_with(self, text: str) -> int:
        """The only line that has this text."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        (found,) = (number for number, line in enumerate(lines, 1) if text in line)
        return found

    @property
    def output(self) -> str:
        with self._arrived:
            return self._out.text

    @property
    def errors(self) -> str:
        with self._arrived:
            return self._err.text

    # Talking to it

    def stdin_line(self, text: str) -> None:
        """Types a line into it."""
        self._stdin.write(f"{text}\n".encode())
        self._stdin.flush()

    def wait_line(
        self, pattern: str | re.Pattern[str], timeout: float = TIMEOUT, *, errors: bool = False
    ) -> re.Match[str]:
        """Waits for `pattern` in what it printed since the last wait; a prompt without a newline counts."""
        stream = self._err if errors else self._out
        regex = re.compile(pattern, re.MULTILINE) if isinstance(pattern, str) else pattern
        found = self._wait(stream, regex, stream.cursor, timeout)
        stream.cursor = found.end()
        return found

    def _wait(self, stream: _Collected, regex: re.Pattern[str], start: int, timeout: float) -> re.Match[str]:
        deadline = time.monotonic() + timeout
        with self._arrived:
            while True:
                if (found := regex.search(stream.text, start)) and not _is_cut_off(stream, found):
                    return found
                left = deadline - time.monotonic()
                if stream.ended or left <= 0:
                    why = "it ended" if stream.ended else f"not within {timeout} s"
                    raise AssertionError(f"no {regex.pattern!r} ({why}) in\n{self._story()}")
                self._arrived.wait(left)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def close_stdin(self) -> None:
        self._stdin.close()

    def returncode(self, timeout: float = TIMEOUT) -> int:
        """Waits for its end; what it printed is complete then."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s\n{self._story()}") from None
        for stream in (self._out, self._err):
            stream.thread.join(5)
        return code

    def _story(self) -> str:
        return f"--- stdout of {self.interpreter}\n{self._out.text}\n--- stderr\n{self._err.text}\n---"

    # Its end

    def close(self) -> None:
        """Ends the process, if it still runs, and removes its folder."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for stream in (self._out, self._err):
            stream.thread.join(5)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                if pipe:
                    pipe.close()
            except OSError:  # a line that it never read is still in the buffer
                pass
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._err.text:
            sys.stderr.write(self._story() + "\n")
        self.close()


def _is_cut_off(stream: _Collected, found: re.Match[str]) -> bool:
    """Whether the line's end that was found is only where the text ends so far."""
    at_end = found.end() == len(stream.text) and not stream.ended
    return at_end and found.re.pattern.endswith("$")


def _with_enable(text: str, arguments: Mapping[str, Any]) -> str:
    given = {"address": ("127.0.0.1", 0), **arguments}
    given.setdefault("secret", None)
    call = ", ".join(f"{name}={value!r}" for name, value in given.items())
    line = f"import remora; print('REMORA_ADDRESS', *remora.enable_attach({call}), flush=True)\n"
    first, newline, rest = text.partition("\n")
    if newline and (not first.strip() or first.startswith("#")):
        return line + rest
    return line + text


def interrupt(program: Program) -> None:
    """What Ctrl-C on its terminal would do."""
    program.signal(signal.SIGINT)


def threads_and_sockets(pid: int) -> tuple[int, int]:
    """How many of each a process has; none when it has ended."""
    folder = Path("/proc", str(pid))
    try:
        descriptors = list(folder.joinpath("fd").iterdir())
        threads = len(list(folder.joinpath("task").iterdir()))
    except OSError:
        return 0, 0
    return threads, sum(map(_is_socket, descriptors))


def _is_socket(descriptor: Path) -> bool:
    try:
        return os.readlink(descriptor).startswith("socket:")
    except OSError:  # it was closed meanwhile
        return False
