"""The order of things on the wire: what editors do that differs, and what no client should do."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remora_protocol import encode_frame
from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program

TICKING = """\
#
import time
def tick(n):
    return n + 1  # @tick
n = 0
while True:
    n = tick(n)
    time.sleep(0.01)
"""


@pytest.fixture
def program() -> Iterator[Program]:
    assert NEWEST is not None
    with Program(NEWEST, TICKING, enable={}) as program:
        yield program


def has_null(value: Any) -> bool:
    """Whether there is a null anywhere: strict clients stumble over them."""
    if isinstance(value, dict):
        return any(has_null(each) for each in value.values())
    if isinstance(value, list):
        return any(has_null(each) for each in value)
    return value is None


def test_nothing_comes_before_the_answer_to_initialize_and_nothing_is_null(interpreter: Interpreter) -> None:
    with Program(interpreter, TICKING, enable={}) as program:
        with DapClient.connect(program.address, login=False) as client:
            client.attach({program.path: [program.line("tick")]})
            thread = client.wait_stopped()["threadId"]
            frame = client.top(thread)["id"]
            client.locals(frame)
            client.evaluate("n", frame)
            client.threads()
            client.continue_(thread)
            client.wait_stopped()
            client.disconnect()
            assert client.messages[0]["command"] == "initialize"
            assert not [message for message in client.messages if has_null(message)]
            numbers = [message["seq"] for message in client.messages]
            assert numbers == list(range(1, len(numbers) + 1))


def test_a_client_that_attaches_last_is_invited_to_configure(program: Program) -> None:
    with DapClient.connect(program.address, login=False) as client:
        client.initialize()
        client.expect_event("initialized", 5)
        (found,) = client.set_breakpoints(program.path, [program.line("tick")])
        assert found["verified"]
        client.request("configurationDone")
        client.request("attach")
        client.wait_stopped()
        assert not [event for event in client.events if event["event"] == "initialized"]
        client.disconnect()


def test_a_continue_is_answered_before_the_next_stop_is_told(program: Program) -> None:
    with DapClient.connect(program.address).attach({program.path: [program.line("tick")]}) as client:
        thread = client.wait_stopped()["threadId"]
        for _ in range(20):
            number = client.begin("continue", threadId=thread)
            client.wait_stopped()
            answered = next(
                index for index, each in enumerate(client.messages) if each.get("request_seq") == number
            )
            assert client.messages[answered + 1 :][-1]["event"] == "stopped"
            client.finish(number)
        client.disconnect()


@pytest.mark.parametrize(
    "command", ["continue", "next", "stepIn", "stepOut", "remora/return", "remora/until"]
)
def test_going_on_while_running_is_refused(program: Program, command: str) -> None:
    with DapClient.connect(program.address).attach() as client:
        with pytest.raises(Refused) as caught:
            client.request(command, threadId=1)
        assert caught.value.code == "not-stopped"


def test_requests_can_be_sent_all_at_once(program: Program) -> None:
    with DapClient.connect(program.address).attach({program.path: [program.line("tick")]}) as client:
        thread = client.wait_stopped()["threadId"]
        frame = client.top(thread)["id"]
        begun = [
            client.begin("evaluate", expression=str(number), frameId=frame, context="repl")
            for number in range(50)
        ]
        assert [client.finish(number)["result"] for number in begun] == [str(number) for number in range(50)]
        client.disconnect()


def test_hanging_up_in_the_middle_of_an_evaluation_lets_the_program_go(interpreter: Interpreter) -> None:
    with Program(
        interpreter, TICKING.replace("time.sleep(0.01)", "print('on', flush=True)"), enable={}
    ) as program:
        with DapClient.connect(program.address).attach({program.path: [program.line("tick")]}) as client:
            frame = client.top(client.wait_stopped()["threadId"])["id"]
            client.begin("evaluate", expression="while True: pass", frameId=frame, context="repl")
        program.wait_line("on\\non\\n")


def test_initializing_twice_is_refused(program: Program) -> None:
    with DapClient.connect(program.address) as client:
        client.initialize()
        with pytest.raises(Refused, match="bad-request"):
            client.initialize()


def test_a_small_number_to_begin_with_and_unknown_fields_are_taken(program: Program) -> None:
    with DapClient.connect(program.address, login=False) as client:
        arguments = {"adapterID": "x", "unheard": {"of": []}}
        client.send({"seq": 0, "type": "request", "command": "initialize", "arguments": arguments, "more": 1})
        assert client.finish(0)["supportsConfigurationDoneRequest"]


def test_no_message_harms_the_server(tmp_path: Path) -> None:
    """Thousands of requests with something wrong in them: each is answered, or the connection ended."""
    log = tmp_path / "log"
    assert NEWEST is not None
    with Program(NEWEST, TICKING, enable={}, env={"REMORA_LOG": f"{log}:error"}) as program:
        send_nonsense(program)
        with DapClient.connect(program.address).attach(force=True) as client:
            client.set_breakpoints(program.path, [program.line("tick")])
            client.wait_stopped()
            client.disconnect()
        assert program.process.poll() is None
        assert program.errors == ""
        assert log.read_text() == ""


def send_nonsense(program: Program) -> None:
    chance = random.Random(2017)
    commands = """
        initialize attach setBreakpoints setFunctionBreakpoints setExceptionBreakpoints threads
        stackTrace scopes variables evaluate setVariable setExpression completions source
        modules exceptionInfo goto gotoTargets cancel configurationDone breakpointLocations
        remora/hello remora/authenticate remora/open remora/until next pause loadedSources
    """.split()  # noqa: SIM905
    keys = """
        threadId frameId variablesReference source breakpoints filters filterOptions expression
        context name value start count line column text path requestId targetId protocol pid
        data mechanism format levels startFrame force hold
    """.split()  # noqa: SIM905
    values: list[Any] = [
        None, True, 0, 1, -1, 2**40, 1.5, "", "x", "\ud800", "\0", "x" * 3000, [], [None], [{}], {},
        {"path": 1}, {"path": "program.py"}, [{"line": 4}], [{"line": -4}], {"min": 1, "max": 1}, [[[[[]]]]],
    ]  # fmt: skip

    def attached() -> DapClient:
        client = DapClient.connect(program.address)
        client.attach(force=True)
        return client

    deadline = time.monotonic() + 15
    client = attached()
    for _ in range(3000):
        arguments = {chance.choice(keys): chance.choice(values) for _ in range(chance.randrange(4))}
        body = json.dumps(
            {"seq": 7, "type": "request", "command": chance.choice(commands), "arguments": arguments}
        )
        data = bytearray(encode_frame(body.encode()))
        if not chance.randrange(40):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            client.send_bytes(bytes(data))
            client.socket.settimeout(0.001)
            if not client.socket.recv(1_000_000):
                raise ConnectionError
        except (TimeoutError, socket.timeout):
            pass
        except OSError:
            client.close()
            client = attached()
        if time.monotonic() > deadline:
            break
    client.close()
