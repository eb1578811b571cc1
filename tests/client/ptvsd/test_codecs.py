"""Both dialects: what the server says arrives, in whatever pieces; nonsense is refused and nothing else."""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_client._ptvsd import _records as r
from remora_client._ptvsd._binary import BinaryCodec
from remora_client._ptvsd._codec import Codec
from remora_client._ptvsd._json import JsonCodec
from remora_protocol import RemoteProtocolError
from tests.client.ptvsd.servers import integer, json_frame, text, to_binary, to_json

GREETING = b"PTVSDBG" + integer(6)
HELLO = json_frame(
    {
        "type": "event",
        "seq": 0,
        "event": "legacyRemoteConnected",
        "body": {"debuggerName": "PTVSDBG", "debuggerProtocolVersion": 8},
    }
)

numbers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
objects = st.builds(r.RemoteObject, st.none() | texts, st.none() | texts, texts, numbers, numbers)
frames = st.builds(
    r.RemoteFrame,
    numbers,
    numbers,
    numbers,
    texts,
    texts,
    numbers,
    st.lists(st.tuples(texts, objects), max_size=3),
)
children = st.builds(r.Child, texts, st.none() | texts, objects)
common = st.one_of(
    st.builds(r.ThreadSeen, numbers),
    st.builds(r.ThreadGone, numbers),
    st.builds(r.ModuleLoaded, texts),
    st.builds(r.ProcessLoaded, numbers),
    st.builds(r.ThreadFrames, numbers, st.none() | texts, st.lists(frames, max_size=3)),
    st.builds(r.BreakpointBound, numbers),
    st.builds(r.BreakpointUnbound, numbers),
    st.builds(r.BreakpointHit, numbers, numbers),
    st.builds(r.StepDone, numbers),
    st.builds(r.Paused, numbers),
    st.builds(r.ExceptionRaised, numbers, texts, texts, st.booleans(), texts),
    st.builds(r.HandlersAsked, texts),
    st.builds(r.Evaluated, numbers, objects),
    st.builds(r.EvaluationFailed, numbers, texts),
    st.builds(r.Children, numbers, st.lists(children, max_size=3)),
    st.builds(r.Output, numbers, texts),
    st.just(r.LastAsked()),
    st.just(r.Detached()),
)
binary = common | st.builds(r.LineSet, st.booleans(), numbers, numbers) | st.builds(r.Pong, numbers)


def heard(codec: Codec, data: bytes, cuts: list[int]) -> list[r.Said]:
    found = []
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        codec.receive(data[start:end])
        while (said := codec.next()) is not None:
            found.append(said)
    return found


@given(st.lists(binary, max_size=6), st.lists(st.integers(0, 2**16), max_size=12))
def test_binary_events_arrive_in_whatever_pieces(events: list[r.Said], cuts: list[int]) -> None:
    data = GREETING + b"".join(map(to_binary, events))
    assert heard(BinaryCodec(), data, cuts) == [r.Greeting(6), *events]


@given(st.lists(common, max_size=6), st.lists(st.integers(0, 2**16), max_size=12))
def test_json_events_arrive_in_whatever_pieces(events: list[r.Said], cuts: list[int]) -> None:
    data = HELLO + b"".join(map(to_json, events))
    assert heard(JsonCodec(), data, cuts) == [r.Greeting(8), *events]


@given(st.binary(max_size=300), st.booleans())
def test_nonsense_is_refused_and_nothing_else(data: bytes, greeted: bool) -> None:
    for codec, greeting in ((BinaryCodec(), GREETING), (JsonCodec(), HELLO)):
        made: Codec = codec
        try:
            heard(made, (greeting if greeted else b"") + data, [])
        except RemoteProtocolError:
            with pytest.raises(RemoteProtocolError):  # and again: its place in the stream is lost
                heard(made, greeting * 3, [])


@given(binary, st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_a_damaged_binary_event_is_refused_or_another_event(said: r.Said, at: int, junk: bytes) -> None:
    data = bytearray(to_binary(said))
    at %= len(data)
    data[at : at + len(junk)] = junk
    try:
        heard(BinaryCodec(), GREETING + bytes(data) + bytes(64), [])
    except RemoteProtocolError:
        pass


bodies: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)


@given(
    st.sampled_from(
        ["legacyThreadFrameList", "legacyException", "legacyExecutionResult", "legacyRemoteConnected"]
    ),
    st.dictionaries(
        st.sampled_from(["threadId", "threadFrames", "data", "obj", "executionId", "debuggerName"]), bodies
    ),
)
def test_json_bodies_of_any_shape(event: str, body: dict[str, Any]) -> None:
    try:
        heard(JsonCodec(), json_frame({"type": "event", "seq": 1, "event": event, "body": body}), [])
    except RemoteProtocolError:
        pass


def test_a_byte_string_of_python_2_is_utf_8_or_else_latin_1() -> None:
    data = GREETING + b"OUTP" + integer(1) + text("café".encode()) + b"OUTP" + integer(1) + text(b"caf\xe9")
    assert heard(BinaryCodec(), data, [])[1:] == [r.Output(1, "café"), r.Output(1, "café")]


def test_lengths_that_nothing_real_has_are_refused_at_once() -> None:
    for size in (-1, 2**40):
        with pytest.raises(RemoteProtocolError):
            heard(BinaryCodec(), GREETING + b"OUTP" + integer(1) + b"U" + integer(size), [])
        with pytest.raises(RemoteProtocolError):
            heard(BinaryCodec(), GREETING + b"THRF" + integer(1) + b"N" + integer(size), [])


def test_a_template_of_django_has_a_file_and_line_of_its_own() -> None:
    data = b"THRF" + integer(7) + b"N" + integer(1)
    data += integer(1) + integer(9) + integer(3) + text("render") + text("/lib/base.py") + integer(0)
    data += integer(2) + text("/app/page.html") + integer(4) + integer(0)
    (said,) = heard(BinaryCodec(), GREETING + data, [])[1:]
    assert isinstance(said, r.ThreadFrames)
    assert (said.frames[0].file, said.frames[0].line) == ("/app/page.html", 4)


def test_the_binary_handshake() -> None:
    codec = BinaryCodec()
    assert heard(codec, GREETING, []) == [r.Greeting(6)]
    assert codec.log_in("sécret") == b"PTVSDBG" + integer(6) + integer(7) + "sécret".encode()
    assert heard(codec, b"ACPT", []) == [r.Verdict(True)]
    assert codec.ask_info() == b"INFO"
    said = heard(codec, integer(7) + text("/usr/bin/python") + text("ada") + text("CPython 2.7"), [1])
    assert said == [r.Info(7, "/usr/bin/python", "ada", "CPython 2.7")]
    assert codec.attach().startswith(b"ATCH")
    assert heard(codec, b"RJCT", []) == [r.Verdict(False)]
    codec.attach()
    said = heard(codec, b"ACPT" + integer(7) + integer(2) + integer(7) + integer(18) + b"DETC", [])
    assert said == [r.Attached(7, (2, 7, 18)), r.Detached()]
    assert struct.unpack(">q", BinaryCodec().refuse()[7:]) == (6,)  # to a greeting of another number


def test_the_json_handshake() -> None:
    codec = JsonCodec()
    heard(codec, HELLO, [])

    def answer(request: bytes, **body: Any) -> list[r.Said]:
        sent = json.loads(request.partition(b"\r\n\r\n")[2])
        return heard(codec, response(sent, True, body), [])

    request = codec.log_in("s")
    assert b'"clientSecret":"s"' in request
    assert b'"debuggerProtocolVersion":8' in request
    assert answer(request, accepted=True) == [r.Verdict(True)]
    told = {"processId": 7, "executable": "/py", "user": "ada", "pythonVersion": "CPython 3.6"}
    assert answer(codec.ask_info(), **told) == [r.Info(7, "/py", "ada", "CPython 3.6")]
    assert answer(codec.attach(), accepted=False) == [r.Verdict(False)]
    accepted = {"accepted": True, "processId": 7, "pythonMajor": 3, "pythonMinor": 6, "pythonMicro": 15}
    assert answer(codec.attach(), **accepted) == [r.Attached(7, (3, 6, 15))]
    assert answer(codec.ping(99), hitCount=0) == [r.Pong(99)]
    assert answer(codec.set_line(5, 12), result=1, threadId=5, newLineNo=12) == [r.LineSet(True, 5, 12)]
    assert answer(codec.resume()) == []  # an empty success says nothing


def response(request: dict[str, Any], success: bool, body: dict[str, Any], message: str = "") -> bytes:
    return json_frame(
        {
            "type": "response",
            "seq": 1,
            "request_seq": request["seq"],
            "success": success,
            "command": request["command"],
            "message": message,
            "body": body,
        }
    )


def test_the_second_answer_of_a_request_that_failed_is_told() -> None:
    codec = JsonCodec()
    heard(codec, HELLO, [])
    sent = json.loads(codec.detach().partition(b"\r\n\r\n")[2])
    said = heard(
        codec, response(sent, True, {}) + response(sent, False, {}, "Traceback\nerror: release\n"), []
    )
    assert said == [r.CommandFailed("legacyDetach", "Traceback\nerror: release")]


SPEC = r.BreakpointSpec(9, 12, "/x/a.py", "n > 1", r.PassKind.EVERY, 3)
COMMANDS: list[Callable[[Codec], bytes]] = [
    lambda codec: codec.set_breakpoint(SPEC),
    lambda codec: codec.remove_breakpoint(SPEC),
    lambda codec: codec.pause(),
    lambda codec: codec.resume(),
    lambda codec: codec.step("in", 7),
    lambda codec: codec.step("over", 7),
    lambda codec: codec.step("out", 7),
    lambda codec: codec.clear_step(7),
    lambda codec: codec.evaluate("x", 7, 1, 99, raw=True),
    lambda codec: codec.children("x", 7, 1, 99),
    lambda codec: codec.set_line(7, 12),
    lambda codec: codec.ask_frames(7),
    lambda codec: codec.set_exceptions(
        r.ExceptionModes(r.ExceptionMode.UNHANDLED, {"E": r.ExceptionMode.RAISED})
    ),
    lambda codec: codec.tell_handlers("/a.py", [r.TryRange(1, 3, ("A", "b.C")), r.TryRange(5, 6, ())]),
    lambda codec: codec.ping(99),
    lambda codec: codec.detach(),
    lambda codec: codec.acknowledge(),
]


def test_binary_commands() -> None:
    """Byte by byte as the servers read them: client's texts have no prefix."""

    def plain(value: str) -> bytes:
        return integer(len(value)) + value.encode()

    def ints(*values: int) -> bytes:
        return b"".join(map(integer, values))

    assert [command(BinaryCodec()) for command in COMMANDS] == [
        b"brkp" + ints(9, 12) + plain("/x/a.py") + ints(1) + plain("n > 1") + ints(1, 3),
        b"brkr" + ints(12, 9),
        b"brka",
        b"resa",
        b"stpi" + ints(7),
        b"stpv" + ints(7),
        b"stpo" + ints(7),
        b"clst" + ints(7),
        b"exec" + plain("x") + ints(7, 1, 99, 1, 1),
        b"chld" + plain("x") + ints(7, 1, 99, 1),
        b"setl" + ints(7, 0, 12),
        b"thrf" + ints(7),
        b"sexi" + ints(32, 1, 1) + plain("E"),
        b"sehi" + plain("/a.py") + ints(2, 1, 3) + plain("A") + plain("b.C") + plain("-")
        + ints(5, 6) + plain("*") + plain("-"),
        b"bkgh" + ints(99, 99),
        b"detc",
        b"lack",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="frames only"):
        BinaryCodec().evaluate("x", 0, 0, 1, module="sys")


def test_json_commands_have_all_their_arguments() -> None:
    """A missing one fails the request; null where unused."""
    wanted = {
        "legacySetBreakpoint": "language breakpointId breakpointLineNo breakpointFileName conditionKind "
        "condition passCountKind passCount",
        "legacyRemoveBreakpoint": "language breakpointId breakpointLineNo breakpointFileName",
        "legacyBreakAll": "",
        "legacyResumeAll": "",
        "legacyStepInto": "threadId",
        "legacyStepOver": "threadId",
        "legacyStepOut": "threadId",
        "legacyClearStepping": "threadId",
        "legacyExecuteText": "text threadId frameId executionId frameKind reprKind moduleName printResult",
        "legacyEnumChildren": "text threadId frameId executionId frameKind",
        "legacySetLineNumber": "threadId frameId lineNo",
        "legacyGetThreadFrames": "threadId",
        "legacySetExceptionInfo": "defaultBreakOnMode breakOn",
        "legacySetExceptionHandlerInfo": "fileName statements",
        "legacyGetBreakpointHitCount": "breakpointId",
        "legacyDetach": "",
        "legacyLastAck": "",
    }
    codec = JsonCodec()
    sent = [json.loads(command(codec).partition(b"\r\n\r\n")[2]) for command in COMMANDS]
    assert {each["command"]: set(each["arguments"]) for each in sent} == {
        name: set(names.split()) for name, names in wanted.items()
    }
    assert [each["seq"] for each in sent] == list(range(1, len(sent) + 1))
