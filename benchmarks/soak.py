"""Debugs a busy program at random for a long time: nothing may get lost, hang, or pile up.

    python -m benchmarks.soak --seconds 3600

Clients attach, set breakpoints, step, look, detach, die and take over from each other, as a seeded random
generator says. Every stop that was asked for and every answer has a deadline; after each client's end every
thread or task of the program has to count on; at the end memory, threads and open files are what they were
after the first fifth, or when everything was done once. The programs are tests/fixtures/soak_threads.py and
soak_asyncio.py.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import socket
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.dap import Body, DapClient, Refused
from tests.support.interpreters import INTERPRETERS, Interpreter
from tests.support.program import Program

PROGRAMS = ("soak_threads.py", "soak_asyncio.py")
MARKERS = (
    "leaf", "leaf_return", "middle", "middle_return", "raises",
    "loop", "call", "handler", "generator", "sleep",
)  # fmt: skip
SECRET = "soak"
DEADLINE = 15.0
_MEGABYTE = 1 << 20
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: hang up with a reset
_LEAVES = frozenset({"leaf", "middle", "raises", "numbers"})
_EXPRESSIONS = (
    "count", "1 + 1", "leaf(count)", "locals()", "[n for n in range(1000)]", "'x' * 100000", "no_such_name",
    "1 / 0", "marker = 1", "sorted(globals())", "(lambda: count)()", "__import__('threading').enumerate()",
)  # fmt: skip

_EVERYTHING = frozenset({
    "evaluate", "variables", "stacks", "source", "modules", "stepIn", "stepOut", "next", "log", "take over",
    "leave:disconnect", "leave:close", "leave:reset", "leave:half", "leave:unread",
})  # fmt: skip


class SoakError(Exception):
    """The seed, what was done last, and what went wrong."""


def is_native(stop: Body) -> bool:
    """A pause that found its thread in native code: held when it comes back, no stop to work at till then."""
    return stop.get("description") == "paused in native code"


@contextlib.contextmanager
def refusals(*codes: str) -> Iterator[None]:
    """A request that may be refused, for these reasons only."""
    try:
        yield
    except Refused as refused:
        if refused.code not in codes:
            raise


@dataclass(frozen=True)
class Figures:
    """What must not grow."""

    resident: int
    threads: int
    files: int
    objects: int

    def grown_since(self, earlier: Figures, *, is_pypy: bool, seconds: float) -> list[str]:
        """What has grown beyond the noise. PyPy compiles and collects when it likes."""
        memory = (64 if is_pypy else 6) * _MEGABYTE + (earlier.resident // 10 if seconds > 60 else 0)
        # Where a look finds the program makes a difference of some thousands; what piles up has no end.
        limits = {"resident": memory, "threads": 1, "files": 1, "objects": 3000 if seconds > 60 else 8000}
        return [
            f"{name}: {getattr(earlier, name)} -> {getattr(self, name)}"
            for name, limit in limits.items()
            if getattr(self, name) - getattr(earlier, name) > limit
        ]


class Soak:
    """One program, and the clients that come to it."""

    def __init__(self, program: Program, seed: int) -> None:
        self.program = program
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.story: list[str] = []
        self.client: DapClient
        self.armed = self.logs = False
        self.lines = {marker: program.line(marker) for marker in MARKERS}

    def note(self, what: str, details: object = "") -> None:
        self.done[what] += 1
        self.story = [*self.story[-40:], f"{what} {details}".rstrip()]

    def run(self, seconds: float) -> tuple[Figures, Figures]:
        """What it used after the first fifth, and at the end.

        Not before everything was done once, if half of the time is enough for that: what the server imports
        for it stays.
        """
        start = time.monotonic()
        while time.monotonic() < start + seconds / 5 or (
            time.monotonic() < start + seconds / 2 and not {*self.done} >= _EVERYTHING
        ):
            self.visit()
        before = self.measure()
        while time.monotonic() < start + seconds:
            self.visit()
        return before, self.measure()

    # One client's visit

    def visit(self) -> None:
        with self.attach() as self.client:
            self.choose_breakpoints()
            for _ in range(self.random.randrange(1, 7)):
                stop = self.stop()
                for _ in range(self.random.randrange(3)):
                    self.look(stop)
                for _ in range(self.random.randrange(4)):
                    stop = self.step(stop)
                if self.random.random() < 0.15:
                    self.take_over()
                    continue
                if self.random.random() < 0.3:
                    self.choose_breakpoints()
                if self.random.random() < 0.25:
                    break  # and leave it stopped
                self.resume("continue", stop["threadId"])
            self.leave()
        self.check_progress()

    def attach(self, *, force: bool = False) -> DapClient:
        self.note("take over" if force else "attach")
        client = DapClient.connect(self.program.address, SECRET, timeout=DEADLINE)
        # The server may hear of a new client before it has noticed the death of the last one.
        deadline = time.monotonic() + DEADLINE
        client.initialize()
        while True:
            try:
                return client.attach(initialize=False, force=force, justMyCode=self.random.random() < 0.8)
            except Refused as refused:
                if refused.code != "already-attached" or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def take_over(self) -> None:
        old = self.client
        with DapClient.connect(self.program.address, SECRET) as refused:
            refused.initialize()
            with refusals("already-attached"):
                refused.request("attach")
                raise AssertionError("two drivers")
        self.client = self.attach(force=True)
        old.wait_closed(DEADLINE)
        old.close()
        self.armed = False
        stop = self.client.wait_stopped(DEADLINE)  # it was stopped, and still is
        self.client.top(stop["threadId"])
        self.choose_breakpoints()
        self.resume("continue", stop["threadId"])

    def leave(self) -> None:
        how = self.random.choice(["disconnect", "disconnect", "close", "reset", "half", "unread"])
        self.note("leave:" + how)
        if how == "disconnect":
            self.client.disconnect()
            return
        if how == "reset":
            self.client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        elif how == "half":
            self.client.send_bytes(b'Content-Length: 100\r\n\r\n{"seq": 99, "type"')
        elif how == "unread":
            self.client.begin("threads")
            self.client.begin("pause", threadId=1)
        self.client.close()

    # What a client does

    def choose_breakpoints(self) -> None:
        """None, or a few; `armed` says whether one of them is sure to be hit."""
        specs: list[dict[str, Any]] = []
        self.armed = self.logs = False
        for marker in self.random.sample(MARKERS, self.random.choice([0, 1, 1, 2, 4])):
            spec: dict[str, Any] = {"line": self.lines[marker]}
            kind = self.random.choice(["plain", "condition", "never", "bad", "hits", "log"])
            if kind == "condition":
                spec["condition"] = "id(spam) or True" if self.random.random() < 0.1 else "count % 3 == 0"
            elif kind == "never":
                spec["condition"] = "count < 0"
            elif kind == "bad":
                spec["condition"] = "no_such_name"
            elif kind == "hits":
                spec["hitCondition"] = self.random.choice(["% 7", ">= 3", "> 1"])
            elif kind == "log":
                spec["logMessage"] = "soaked {slot if 'slot' in locals() else 1}"
                spec["hitCondition"] = "% 5"
                self.logs = True
            # A condition may hold in no call of a line: only these stop for sure.
            self.armed = self.armed or kind in ("plain", "hits")
            specs.append(spec)
        self.note("breakpoints", specs)
        self.drop("output")
        placed = self.client.set_breakpoints(self.program.path, specs)
        assert all(one["verified"] for one in placed), placed
        if self.random.random() < 0.2:
            filters = self.random.choice([[], ["raised"], ["uncaught"], ["userUnhandled"]])
            self.client.request("setExceptionBreakpoints", filters=filters)

    def drop(self, name: str) -> None:
        self.client.events = [event for event in self.client.events if event["event"] != name]

    def stop(self) -> Body:
        """Gets the program to a stop."""
        if not self.armed:
            if self.logs and self.random.random() < 0.5 and not self.is_stopping():
                self.note("log")
                self.wait_for("output", "stopped")
            self.note("pause")
            known = [one["id"] for one in self.client.threads() if one["name"] != "brief"]
            self.client.pause(self.random.choice(known), timeout=DEADLINE)
        return self.wait_stop()

    def is_stopping(self) -> bool:
        return any(event["event"] == "stopped" for event in self.client.events)

    def wait_for(self, *names: str) -> None:
        """Waits until one of these events is there; leaves it."""
        self.client._wait(
            lambda: next((event for event in self.client.events if event["event"] in names), None),
            " or ".join(names),
            DEADLINE,
        )

    def wait_stop(self) -> Body:
        stop = self.client.wait_stopped(DEADLINE)
        self.note("stopped:native" if is_native(stop) else "stopped", (stop["reason"], stop["threadId"]))
        return stop

    def resume(self, command: str, thread: int) -> None:
        """Stops told of before the answer are of the past."""
        self.note(command, thread)
        self.client.messages.clear()
        number = self.client.begin(command, threadId=thread)
        self.client.finish(number, DEADLINE)
        messages = self.client.messages
        at = next(i for i, one in enumerate(messages) if one.get("request_seq") == number)
        later = [one for one in messages[at:] if one["type"] == "event"]
        self.client.events = [event for event in self.client.events if event in later]

    def step(self, stop: Body) -> Body:
        """One step, where one is sure to end: in a thread or task that goes on for ever."""
        thread = stop["threadId"]
        if is_native(stop):
            return stop
        names = [frame["name"].rpartition(".")[2] for frame in self.client.stack(thread)]
        if "work" not in names or names[0] not in (*_LEAVES, "work"):
            return stop
        commands = ["next", "stepIn", *(["stepOut"] if names[0] in _LEAVES else [])]
        self.resume(self.random.choice(commands), thread)
        return self.wait_stop()

    def look(self, stop: Body) -> None:
        """Requests that change nothing."""
        if is_native(stop):
            return
        thread = stop["threadId"]
        frames = self.client.stack(thread)
        what = self.random.choice(["evaluate", "evaluate", "variables", "stacks", "source", "modules"])
        self.note(what)
        frame = self.random.choice(frames)["id"]
        if what == "evaluate":
            expression = self.random.choice(_EXPRESSIONS)
            context = self.random.choice(["repl", "watch", "hover"])
            with refusals("evaluation-failed"):
                self.client.evaluate(expression, frame, context)
        elif what == "variables":
            for scope in self.client.scopes(frame).values():
                for variable in self.client.variables(scope["variablesReference"])[:5]:
                    if variable["variablesReference"]:
                        self.client.variables(variable["variablesReference"], start=0, count=10)
        elif what == "stacks":
            for one in self.client.threads():
                with refusals("not-found", "not-stopped"):
                    self.client.stack(one["id"])
        elif what == "source":
            reference = frames[0]["source"]["sourceReference"]
            assert self.client.request("source", sourceReference=reference)["content"]
        else:
            self.client.request("modules")

    # What must hold

    def counts(self) -> tuple[int, ...]:
        data = Path(self.program.directory, "progress").read_bytes()
        return struct.unpack(f"<{len(data) // 8}Q", data)

    def check_progress(self) -> None:
        """Nobody is attached: everything runs."""
        before = self.counts()
        deadline = time.monotonic() + DEADLINE
        while not all(now > then for now, then in zip(self.counts(), before, strict=True)):
            assert self.program.process.poll() is None, "the program ended"
            assert time.monotonic() < deadline, f"it does not run on: {before} -> {self.counts()}"
            time.sleep(0.002)
        assert not self.program.errors, self.program.errors

    def measure(self) -> Figures:
        """The least of some looks: threads come and go, and the server closes after us."""
        objects = 0
        if not self.program.interpreter.is_pypy:
            with self.attach() as client:
                client.pause(1)
                stop = client.wait_stopped(DEADLINE)
                frame = client.top(stop["threadId"])["id"]
                text = "__import__('gc').collect() and None or len(__import__('gc').get_objects())"
                objects = int(client.evaluate(text, frame)["result"])
                client.disconnect()
        self.check_progress()
        process = Path(f"/proc/{self.program.pid}")
        looks = []
        for _ in range(100):
            status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
            files = len(list((process / "fd").iterdir()))
            looks.append((int(status["VmRSS"].split()[0]) * 1024, int(status["Threads"]), files))
            time.sleep(0.005)
        resident, threads, files = (min(column) for column in zip(*looks, strict=True))
        return Figures(resident, threads, files, objects)


def soak(interpreter: Interpreter, source: str, seconds: float, seed: int) -> str:
    """One program for so long; what was done, in a line. Raises `SoakError`."""
    with (
        tempfile.NamedTemporaryFile("r", prefix="remora-soak-") as log,
        Program(interpreter, source, env={"REMORA_LOG": log.name}, enable={"secret": SECRET}) as program,
    ):
        program.wait_line("ready")
        one = Soak(program, seed)
        try:
            before, after = one.run(seconds)
            grown = after.grown_since(before, is_pypy=interpreter.is_pypy, seconds=seconds)
            assert not grown, "; ".join(grown)
        except Exception as error:
            story = "\n  ".join(one.story)
            raise SoakError(
                f"seed {seed}, {source} on {interpreter}: {error!r}\nlast done:\n  {story}\n"
                f"{dict(one.done)}\nprogram's errors: {program.errors}\n"
                f"the server's log: {''.join(log.readlines()[-5:])}"
            ) from error
        return f"{interpreter} {source} seed {seed}: {dict(one.done)}\n  {before}\n  {after}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600, help="for all together (default 3600)")
    parser.add_argument("--seed", type=int, default=None, help="the seed that a failure printed")
    parser.add_argument("--python", action="append", help="a name like cpython-3.13 (repeatable)")
    parser.add_argument("--program", choices=PROGRAMS, action="append")
    options = parser.parse_args(arguments)
    interpreters = [one for one in INTERPRETERS if not options.python or one.name in options.python]
    programs = options.program or PROGRAMS
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    share = options.seconds / max(1, len(interpreters) * len(programs))
    failures = 0
    for interpreter in interpreters:
        for program in programs:
            try:
                print(soak(interpreter, program, share, seed), flush=True)
            except SoakError as error:
                failures += 1
                traceback.print_exception(error.__cause__)
                print("FAILED", error, flush=True)
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
