"""Bytecode on the wire: disassembly, steps by instructions, steps into one call, and what steps skip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST
from tests.support.program import Program

PROGRAM = """\
#
import textwrap, time
def shout(text):
    return text.upper()  # @shout
def work(text):
    text = textwrap.dedent(shout(text))  # @work
    return text  # @done
while True:
    work("  a")
    time.sleep(0.01)
"""


@pytest.fixture
def program() -> Iterator[Program]:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={}) as program:
        yield program


def stop_at_work(program: Program, client: DapClient) -> int:
    client.attach({program.path: [program.line("work")]})
    thread = int(client.wait_stopped()["threadId"])
    client.set_breakpoints(program.path, [])
    return thread


def test_exactly_as_many_instructions_as_asked_for(program: Program) -> None:
    with DapClient.connect(program.address) as client:
        thread = stop_at_work(program, client)
        top = client.top(thread)
        reference = top["instructionPointerReference"]
        around = {"memoryReference": reference, "instructionOffset": -50, "instructionCount": 200}
        found = client.request("disassemble", around)["instructions"]
        assert len(found) == 200
        here = found[50]
        assert here["address"] == reference
        assert here["line"] == program.line("work")
        addresses = [int(each["address"], 16) for each in found if "presentationHint" not in each]
        assert addresses == sorted(set(addresses))
        assert found[0]["presentationHint"] == found[-1]["presentationHint"] == "invalid"
        whole = client.request("remora/disassemble", {"frameId": top["id"]})
        assert whole["name"] == "work"
        assert whole["instructions"][whole["current"]]["address"] == reference
        for wrong in ("nonsense", "0x5"):
            with pytest.raises(Refused, match="not-found"):
                client.request("disassemble", {**around, "memoryReference": wrong})
        with pytest.raises(Refused, match="bad-request"):
            client.request("disassemble", {**around, "instructionCount": 10**9})
        client.next(thread, granularity="instruction")
        stopped = client.wait_stopped()
        assert stopped["reason"] == "step"
        assert int(client.top(thread)["instructionPointerReference"], 16) > int(reference, 16)
        assert client.top(thread)["line"] == program.line("work")
        client.disconnect()


def test_a_step_into_one_call_and_over_what_a_rule_skips(program: Program) -> None:
    with DapClient.connect(program.address) as client:
        thread = stop_at_work(program, client)
        frame = client.top(thread)["id"]
        targets = client.request("stepInTargets", {"frameId": frame})["targets"]
        assert [each["label"] for each in targets] == ["shout", "textwrap.dedent"]
        with pytest.raises(Refused, match="not-found"):
            client.step_in(thread, targetId=1)
        client.step_in(thread, targetId=targets[0]["id"])
        client.wait_stopped()
        assert client.top(thread)["line"] == program.line("shout")
        client.step_out(thread)
        client.wait_stopped()
        rest = client.request("stepInTargets", {"frameId": client.top(thread)["id"]})["targets"]
        assert [each["label"] for each in rest] == ["textwrap.dedent"]
        client.step_in(thread)
        passed = client.wait_stopped()["remora"]["passed"]
        assert (passed["path"].rpartition("/")[2], passed["rule"]) == ("textwrap.py", "stdlib")
        assert client.top(thread)["line"] == program.line("done")
        client.set_breakpoints(program.path, [program.line("work")])
        client.continue_(thread)
        client.wait_stopped()
        client.step_in(thread, targetId=targets[1]["id"], everywhere=True)
        client.wait_stopped()
        assert client.top(thread)["name"] == "dedent"
        client.disconnect()
