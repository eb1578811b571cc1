"""Requests with missing, wrong and odd arguments, through both doors: each is answered, and by a reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.bridge import Bridge
from tests.support.command import Remora
from tests.support.dap import DapClient, Refused
from tests.support.dap_schema import arguments_of_requests
from tests.support.interpreters import NEWEST
from tests.support.program import Program

# Those that begin or end a session, or are asked of the editor.
LEFT_OUT = {
    "attach", "disconnect", "initialize", "launch", "restart", "runInTerminal", "startDebugging", "terminate",
}  # fmt: skip
GO_ON = {"continue", "goto", "next", "restartFrame", "stepIn", "stepOut", "remora/return", "remora/until"}
OURS = {
    "remora/return": ["threadId"],
    "remora/skip": ["skips", "justMyCode"],
    "remora/stopMode": ["mode"],
    "remora/until": ["threadId", "line"],
}
ODD: tuple[Any, ...] = (
    None, "", "x\0\N{PILE OF POO}\x1b[31m", -1, 2**40, 10**30, 1.5, True, ["x"], [None], [{"line": -1}],
    [{"line": "x"}], [{"name": 5}], [{"filterId": "raised", "condition": "("}], {"path": 1},
    {"path": "/no/such.py"}, {"sourceReference": 99},
)  # fmt: skip
TICKING = """\
#
import time
def tick(n):
    return n + 1  # @tick
n = 0
while True:
    n = tick(n)
    time.sleep(0.001)
"""


@contextmanager
def door(kind: str, program: Program, remora: Remora) -> Iterator[DapClient]:
    """The program's own port, or a bridge to it."""
    if kind == "direct":
        with DapClient.connect(program.address, login=False) as client:
            yield client.attach()
    else:
        with Bridge(remora) as bridge:
            yield bridge.editor.attach(qualifier=program.qualifier)


class Stopped:
    """A client whose program stands at a breakpoint, before each of its requests."""

    def __init__(self, client: DapClient, program: Program) -> None:
        self.client = client
        self.program = program
        self.good: dict[str, Any] = {}
        self.stand()

    def stand(self) -> None:
        """Has the breakpoint set, and learns of what requests are made."""
        client, line = self.client, self.program.line("tick")
        client.set_breakpoints(self.program.path, [line])
        if not self.good:
            self.good["threadId"] = client.wait_stopped()["threadId"]
        frame = client.top(self.good["threadId"])["id"]
        self.good |= {
            "frameId": frame, "variablesReference": client.scopes(frame)["Locals"]["variablesReference"],
            "source": {"path": str(self.program.path)}, "line": line, "breakpoints": [{"line": line}],
            "expression": "n", "name": "n", "value": "3", "text": "n.", "column": 3, "filters": [],
            "targetId": line, "mode": "all", "skips": [], "sourceReference": 1,
        }  # fmt: skip

    def ask(self, command: str, arguments: dict[str, Any]) -> None:
        """Asks, and waits until the program stands again if it has gone on."""
        try:
            self.client.request(command, arguments)
        except Refused as error:
            refused = error
        else:
            if command in GO_ON:
                self.client.wait_stopped()
                self.stand()
            return
        assert refused.code != "internal-error", (command, arguments, refused.text)
        assert refused.text, (command, arguments)


@pytest.mark.parametrize("kind", ["direct", "bridge"])
def test_every_request_is_answered_whatever_its_arguments_are(kind: str, remora: Remora) -> None:
    assert NEWEST is not None
    requests = {**arguments_of_requests(), **OURS}
    assert len(requests) > 40, "debugpy, which brings DAP's schema, is not installed"
    with Program(NEWEST, TICKING, enable={}) as program, door(kind, program, remora) as client:
        stopped = Stopped(client, program)
        for command, names in requests.items():
            if command in LEFT_OUT:
                continue
            good = {name: stopped.good[name] for name in names if name in stopped.good}
            wrong = [{key: value for key, value in good.items() if key != name} for name in good]
            wrong += [{**good, name: odd} for name in names for odd in ODD]
            for arguments in [{}, *(wrong[::3] if command in GO_ON else wrong)]:
                stopped.ask(command, arguments)
            stopped.stand()


@pytest.mark.parametrize("kind", ["direct", "bridge"])
@pytest.mark.parametrize("arguments", ["x", 5, [1]])
def test_arguments_that_are_no_object_are_refused(kind: str, arguments: object, remora: Remora) -> None:
    assert NEWEST is not None
    with Program(NEWEST, TICKING, enable={}) as program, door(kind, program, remora) as client:
        client.send({"seq": 900, "type": "request", "command": "threads", "arguments": arguments})
        with pytest.raises(Refused, match="'arguments' is an object"):
            client.finish(900)
        assert client.threads()
