"""The scripting API, with and without asyncio."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import remora_client
from remora_client import aio
from remora_client._errors import ClientError, Gone
from remora_client._scripting._breaking import location
from remora_client.locspec import FileLine, Function, Location, ModuleLine
from tests.client.servers import SECRET, Remora, Server
from tests.support.interpreters import ROOT


def at(line: int, **more: Any) -> dict[str, Any]:
    frame = {"id": line, "name": "main", "line": line, "column": 1, "source": {"path": "/app/guess.py"}}
    return {"stackFrames": [frame], "totalFrames": 1, **more}


class Guess(Remora):
    """A program of some lines that ends after the last."""

    line = 0

    def _answer(self, message: Any, scram: Any) -> Any:
        if message.command in ("continue", "next", "stepIn", "stepOut", "pause"):
            self.line += 1
            if self.line > 3:
                self.emit("terminated")
            else:
                self.emit("output", {"category": "stdout", "output": f"line {self.line}\n"})
                self.emit("stopped", {"reason": "step", "threadId": 1, "allThreadsStopped": True})
            return {}
        if message.command == "stackTrace":
            return at(self.line)
        if message.command == "evaluate":
            return {"result": str(self.line), "type": "int", "variablesReference": 0}
        return super()._answer(message, scram)


def test_the_example_of_the_manual() -> None:
    with Server(Guess()) as listener:
        target = f"tcp://{SECRET}@{listener.place}"
        with remora_client.attach(target, source=["."]) as session:
            heard: list[str] = []
            session.listen(lambda event, body: heard.append(body.get("output", event)))
            found = session.break_at("guess.py:12", condition="guess > 3")
            assert (found.number, found.line, found.condition) == (1, 12, "guess > 3")
            stop = session.pause()
            assert stop is not None
            assert stop.frame is not None
            assert (stop.frame.name, stop.frame.line) == ("main", 1)
            assert session.evaluate("guess").value == "1"
            assert session.state.phase == "stopped"
            assert session.step_over() is not None
            assert session.step_in() is not None
            assert session.step_out() is None  # the program ended
            assert heard[:2] == ["line 1\n", "stopped"]
        session.detach()  # once more does no harm
        with pytest.raises(Gone, match="over"):
            session.threads()
    assert "remora-session" not in [thread.name for thread in threading.enumerate()]


def test_the_asyncio_twin() -> None:
    async def scenario(target: str) -> None:
        async with await aio.attach(target) as session:
            stop = await session.pause()
            assert stop is not None
            assert (await session.evaluate("guess")).value == "1"
            assert [each.name for each in await session.threads()] == ["MainThread"]

    with Server(Guess()) as listener:
        asyncio.run(scenario(f"tcp://{SECRET}@{listener.place}"))


def test_processes() -> None:
    with Server(Remora()) as listener:
        (row,) = remora_client.processes(f"tcp://{SECRET}@{listener.place}")
        assert row["pid"] == 4711


def test_what_fails_leaves_no_thread() -> None:
    with Server(Remora()) as listener, pytest.raises(remora_client.ConnectError):
        remora_client.attach(f"tcp://wrong@{listener.place}")
    assert "remora-session" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (("guess.py:12", None), FileLine("guess.py", 12)),
        (("C:\\a\\guess.py:12", None), FileLine("C:\\a\\guess.py", 12)),
        (("guess.py", 3), FileLine("guess.py", 3)),
        (("guess.py", 3, 7), FileLine("guess.py", 3, 7)),
        (("pkg.mod:3", None), ModuleLine("pkg.mod", 3)),
        (("pkg.mod.func", None), Function("pkg.mod.func")),
    ],
)
def test_places(place: tuple[Any, ...], expected: Location) -> None:
    assert location(*place) == expected


@pytest.mark.parametrize("place", ["guess.py", "guess.py:", ":3", "a b", ""])
def test_no_places(place: str) -> None:
    with pytest.raises(ClientError, match=r"no place|say which line|place is missing"):
        location(place, None)


def test_the_twins_are_alike() -> None:
    def surface(kind: type) -> dict[str, str]:
        return {
            name: str(inspect.signature(value).replace(return_annotation=inspect.Signature.empty))
            for name, value in inspect.getmembers(kind, callable)
            if not name.startswith("_")
        }

    assert surface(aio.Session) == surface(remora_client.Session)
    assert surface(aio.Session).keys() >= {"resume", "break_at", "locals", "detach"}  # each part's


def test_the_sync_twin_is_fresh() -> None:
    script = Path(ROOT, "scripts", "gen_sync.py")
    run = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
