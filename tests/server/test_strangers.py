"""What strangers can do to a program, and observers, and other users of its machine: next to nothing."""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 - while this process is another user, it may not be able to read it
import json
import os
import re
import select
import signal
import socket
import ssl
import struct
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remora._enabled import Settings
from remora._log import Log
from remora._network import _registry
from remora._opening import Tls
from remora_protocol import encode_frame
from tests.server.certificates import make_certificate
from tests.support.dap import DapClient, Refused
from tests.support.interpreters import INTERPRETERS, NEWEST, Interpreter
from tests.support.program import Program

SECRET = "open sesame"
IDLE = """\
#
import sys
for line in sys.stdin:
    pass
"""


@pytest.fixture
def program() -> Iterator[Program]:
    assert NEWEST is not None
    with Program(NEWEST, IDLE, enable={"secret": SECRET}) as started:
        assert started.address
        yield started


def memory(program: Program) -> int:
    """Kilobytes that the program has in use."""
    text = Path(f"/proc/{program.pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1])  # type: ignore[index]


def pour(address: tuple[str, int], head: bytes, rest: bytes, megabytes: int) -> None:
    """Send until the other end has had enough, or so much has been taken."""
    with socket.create_connection(address, 10) as sock:
        sock.settimeout(2)
        sent = 0
        with contextlib.suppress(OSError):
            sock.sendall(head)
            while sent < megabytes * 1_000_000:
                sent += sock.send(rest)


def request(number: int, command: str = "threads") -> bytes:
    return encode_frame(json.dumps({"seq": number, "type": "request", "command": command}).encode())


@pytest.mark.parametrize("come_back", [False, True])
def test_two_hundred_who_trickle_keep_nobody_out(program: Program, come_back: bool) -> None:
    """Each of them sends a byte again and again. Those who come back at once keep out their like at most."""
    over, begun_all = threading.Event(), threading.Barrier(3)

    def trickle() -> None:
        held = [socket.create_connection(program.address, 10) for _ in range(100)]
        begun_all.wait()
        while not over.wait(0.002):
            for sock in list(held):
                try:
                    sock.send(b"C" if sock.fileno() % 2 else b"\x16")
                    if select.select([sock], [], [], 0)[0] and not sock.recv(1):
                        raise OSError
                except OSError:
                    sock.close()
                    held.remove(sock)
                    if come_back:
                        held.append(socket.create_connection(program.address, 10))
        for sock in held:
            sock.close()

    threads = [threading.Thread(target=trickle) for _ in range(2)]
    for thread in threads:
        thread.start()
    begun_all.wait()
    took = []
    source = ("127.0.0.2" if come_back else "127.0.0.1", 0)
    try:
        for _ in range(5):
            begun = time.monotonic()
            with socket.create_connection(program.address, 10, source_address=source) as sock:
                DapClient(sock).login(SECRET)
            took.append(time.monotonic() - begun)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert sorted(took)[2] < 1, took  # the middle one: a busy machine may be slow once


@pytest.mark.parametrize(
    ("head", "rest"),
    [
        (b"get ", b"x" * 65536),
        (b"Content-Length: 65000\r\n\r\n", b"\n" * 65536),
        (b"Content-Length: 64", b" " * 65536),
        (b"\x16\x03\x01", b"\x16" * 65536),
        (b"", b"".join(request(number) for number in range(1, 500))),
        (b"", b"".join(request(number, "remora/hello") for number in range(1, 500))),
        (b"", b"".join(request(number, "x" * 9000) for number in range(1, 7))),
    ],
    ids=["lower case", "body", "header", "tls", "requests", "hellos", "long names"],
)
def test_what_strangers_send_costs_no_memory(program: Program, head: bytes, rest: bytes) -> None:
    DapClient.connect(program.address, SECRET).close()
    before = memory(program)
    highest = 0
    for _ in range(3):
        pour(program.address, head, rest, 30)
        highest = max(highest, memory(program))
    assert highest - before < 6_000, f"{highest - before} kB more"


def test_who_asks_too_much_before_the_login_is_let_go(program: Program) -> None:
    with DapClient.connect(program.address, login=False) as client:
        for _ in range(15):
            with pytest.raises(Refused, match="auth-required"):
                client.request("threads")
        with pytest.raises((Refused, ConnectionError)):
            client.request("threads")
        client.wait_closed(3)


def test_of_the_program_strangers_are_told_nothing(program: Program) -> None:
    with DapClient.connect(program.address, login=False) as client:
        assert set(client.request("initialize", adapterID="x")["remora"]) == {"version", "requests"}
    with DapClient.connect(program.address, SECRET) as client:
        assert {"engine", "limits", "clock"} <= set(client.request("initialize", adapterID="x")["remora"])


def test_those_who_are_turned_away_hold_no_descriptors(program: Program) -> None:
    """Each gets a moment to read why; but not all of them at once."""
    DapClient.connect(program.address, SECRET).close()

    def count() -> int:
        return len(os.listdir(f"/proc/{program.pid}/fd"))

    before = count()
    sockets = []
    for _ in range(120):
        sockets.append(socket.create_connection(program.address, 10))
        with contextlib.suppress(OSError):
            sockets[-1].sendall(b"SSH-2.0-x\r\n")
            sockets[-1].recv(1)  # it has been answered
    assert count() - before <= 40
    for sock in sockets:
        sock.close()


def test_only_so_many_wait_at_the_door(program: Program) -> None:
    DapClient.connect(program.address, SECRET).close()
    before = len(os.listdir(f"/proc/{program.pid}/fd"))
    idle = [socket.create_connection(program.address, 10) for _ in range(100)]
    DapClient.connect(program.address, SECRET).close()  # all that came before have been taken by then
    assert len(os.listdir(f"/proc/{program.pid}/fd")) - before <= 20
    for sock in idle:
        sock.close()


def test_tls_older_than_1_2_is_not_spoken(tmp_path: Path) -> None:
    assert NEWEST is not None
    enable = {"secret": SECRET, "certfile": str(make_certificate(tmp_path))}
    with Program(NEWEST, IDLE, enable=enable) as program:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with socket.create_connection(program.address, 10) as sock, pytest.raises(ssl.SSLError):
            context.wrap_socket(sock)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another user")
def test_without_a_secret_other_users_of_the_machine_are_refused() -> None:
    assert NEWEST is not None
    with Program(NEWEST, IDLE, enable={}) as program:
        address = program.address
        os.seteuid(65534)
        try:
            sock = socket.create_connection(address, 10)
        finally:
            os.seteuid(0)
        with DapClient(sock) as stranger:
            for command in ("remora/hello", "initialize", "attach", "remora/processes", "threads"):
                with pytest.raises(Refused, match="you are another one"):
                    stranger.request(command)
        # One that has closed its end already has no owner in the table; what it left behind is not read.
        os.seteuid(65534)
        try:
            with socket.create_connection(address, 10) as sock:
                sock.sendall(request(1, "attach"))
        finally:
            os.seteuid(0)
        with DapClient.connect(address) as own:
            (process,) = own.request("remora/processes")["processes"]
            assert process["attachedBy"] is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another user")
def test_without_a_secret_nothing_is_read_that_somebody_has_sent_and_reset(tmp_path: Path) -> None:
    """Such a socket is in no table any more, so that nobody can say whose it was."""
    assert NEWEST is not None
    log = tmp_path / "log"
    with Program(NEWEST, IDLE, enable={}, env={"REMORA_LOG": f"{log}:debug"}) as program:
        address = program.address
        program.signal(signal.SIGSTOP)  # as one that is busy, it takes the connection when it is over
        os.seteuid(65534)
        try:
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.connect(address)
                sock.sendall(request(1, "attach"))
        finally:
            os.seteuid(0)
            program.signal(signal.SIGCONT)
        DapClient.connect(address).close()  # what came before has been taken by then
        text = log.read_text(encoding="ascii")
        assert "attach refused: auth-required" in text
        assert " attached\n" not in text


def test_another_users_process_is_not_taken_for_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Behind a door that somebody else got to all the same: what counts is the kernel's word."""
    path = str(tmp_path / "1.sock")
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as caller:
        listening.bind(path)
        listening.listen()
        caller.connect(path)
        taken, address = listening.accept()
        with taken:
            door = _registry.Door(listening, path)  # type: ignore[arg-type]
            for owner in (os.geteuid(), os.geteuid() + 1):
                monkeypatch.setattr(os, "geteuid", lambda owner=owner: owner)
                peer = door.identify(taken, address)
                assert peer is not None
                assert peer.is_same_user is _registry.is_same_user(taken) is (owner == os.getuid())


def test_no_client_may_ask_for_one_handshake_after_the_other(tmp_path: Path) -> None:
    certfile = str(make_certificate(tmp_path))
    context = Tls(Settings(("127.0.0.1", 0), certfile, None, True, None, None, None)).context
    assert context.options & ssl.OP_NO_RENEGOTIATION


def test_a_registry_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "remora"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert _registry.find_folder() == str(folder)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert _registry.find_folder() is None


def test_what_strangers_call_themselves_does_not_move_the_cursor(tmp_path: Path) -> None:
    log = Log()
    log.open_from(str(tmp_path / "log"))
    log.warning("\x1b[2J\r\x07é\nerror forged refused")
    log.close()
    text = (tmp_path / "log").read_text(encoding="ascii")
    assert "\\x1b[2J\\x0d\\x07\\xe9" in text
    assert "\n    error forged" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)


OBSERVED = """\
#
import collections, contextvars, datetime, io, os, pathlib, sys, types, weakref

class Trap:
    def __init__(self):
        self.inside = 1
    @property
    def spring(self):
        os.write(2, b"property ran\\n")
    def __repr__(self):
        os.write(2, b"repr ran\\n")
        return "x"
    def __hash__(self):
        return 1
    def __getattr__(self, name):
        os.write(2, b"getattr ran\\n")
        raise AttributeError(name)

class Oops(Exception):
    def __str__(self):
        os.write(2, b"str ran\\n")
        return "x"

class Meta(type):
    def __eq__(self, other):
        os.write(2, b"class compared\\n")
        return NotImplemented
    def __hash__(self):
        os.write(2, b"class hashed\\n")
        return 1
    def __getattribute__(self, name):
        os.write(2, b"class asked\\n")
        return type.__getattribute__(self, name)
class Method:
    def __eq__(self, other):
        os.write(2, b"method compared\\n")
        return NotImplemented
    __hash__ = object.__hash__
class Odd(metaclass=Meta):
    def __init__(self):
        self.within = 1
    computed = property(lambda self: 1)
class OddList(list, metaclass=Meta):
    pass
class OddBytes(bytes):
    def __bytes__(self):
        os.write(2, b"bytes ran\\n")
        return b""
class OddPath(pathlib.PurePosixPath):
    def __str__(self):
        os.write(2, b"path ran\\n")
        return ""
class OddMethods:
    __repr__ = Method()
    __dict__ = Method()

class Speaks:
    def __repr__(self):
        os.write(2, b"repr ran\\n")
        return "x"
    __str__ = __format__ = lambda self, _=None: repr(self)
    def __hash__(self):
        os.write(2, b"hash ran\\n")
        return 1
    def __getattr__(self, name):
        os.write(2, b"attribute asked\\n")
        raise AttributeError(name)
class SpeakingInt(int):
    __repr__ = __str__ = lambda self: os.write(2, b"int ran\\n") and "1"
class SpeakingDict(dict):
    items = __len__ = lambda self: os.write(2, b"dict ran\\n") and []
class Liar(Speaks):
    __module__ = "builtins"
class Zone(datetime.tzinfo):
    __repr__ = __str__ = lambda self: os.write(2, b"zone ran\\n") and ""
    utcoffset = dst = lambda self, _: os.write(2, b"offset ran\\n") and None
class Raw(io.RawIOBase):
    name = mode = property(lambda self: os.write(2, b"file ran\\n"))
    def readable(self):
        return True
class Field:
    repr = property(lambda self: os.write(2, b"field ran\\n"))
class Data:
    __dataclass_fields__ = {"x": Field()}
    x = 1
    def __init__(self):
        self.x = 1
class Pair(tuple):
    _fields = (Speaks(), Speaks())
    __repr__ = collections.namedtuple("Any", "a").__repr__
speaks = Speaks()
module = types.ModuleType("module")
module.__spec__ = module.__loader__ = speaks
in_order = collections.OrderedDict({speaks: 1})
class Holder(collections.UserDict):
    def __getattribute__(self, name):
        if holder_is_done:
            os.write(2, b"holder asked\\n")
        return super().__getattribute__(name)
class Ghost:
    __class__ = property(lambda self: os.write(2, b"class asked\\n") and str)
holder_is_done = False
holder = Holder(a=1)
holder_is_done = True
haunted = types.ModuleType("haunted")
haunted.__file__ = haunted.__version__ = Ghost()
sys.modules["haunted"] = haunted
class ndarray:
    shape = dtype = property(lambda self: os.write(2, b"array asked\\n"))
ndarray.__module__ = "numpy"
sys.modules["numpy"] = types.ModuleType("numpy")
array = ndarray()
odd_kinds = [
    slice(speaks), range(SpeakingInt(3)), types.SimpleNamespace(x=speaks), weakref.ref(speaks),
    types.MappingProxyType(SpeakingDict(a=1)), SpeakingDict(a=1).keys(), Liar(), Data(), Pair((1, 2)),
    datetime.datetime(2020, 1, 1, tzinfo=Zone()), datetime.time(1, tzinfo=Zone()), module, in_order,
    io.BufferedReader(Raw()), list[speaks], staticmethod(speaks), classmethod(speaks),
    contextvars.ContextVar("variable", default=speaks),
]
del collections, contextvars, datetime, io, sys, types, weakref  # there is a lot in them to look at

trap = Trap()
odd, odd_list, odd_methods = Odd(), OddList([1]), OddMethods()
odd_bytes, odd_path = OddBytes(b"x"), OddPath("/x")
keys = {trap: trap}
input()
try:
    raise Oops(trap)  # @raise
except Oops:
    pass
input()
"""


#: What a class of Python's own asks of others differs between the oldest, the newest and PyPy.
OUTERMOST = [*dict.fromkeys((INTERPRETERS[0], NEWEST, INTERPRETERS[-1]))]


def open_all(client: DapClient, reference: int, depth: int, seen: set[str]) -> None:
    with contextlib.suppress(Refused):
        for child in client.variables(reference):
            seen.add(child["name"])
            if child["variablesReference"] and depth:
                open_all(client, child["variablesReference"], depth - 1, seen)


@pytest.mark.parametrize("interpreter", OUTERMOST, ids=str)
def test_nothing_that_an_observer_opens_runs_code(interpreter: Interpreter) -> None:
    enable = {"secret": SECRET, "observer_secret": "look"}
    with Program(interpreter, OBSERVED, enable=enable) as program:
        with (
            DapClient.connect(program.address, SECRET) as driver,
            DapClient.connect(program.address, login=False) as observer,
            DapClient.connect(program.address, login=False) as another,
        ):
            for each in (observer, another):
                each.login("look", user="observer")
                each.attach(justMyCode=False)
            driver.initialize()
            driver.attach(initialize=False, redirectOutput=False)
            driver.request("setExceptionBreakpoints", filters=["raised"])
            program.stdin_line("")
            thread = driver.wait_stopped()["threadId"]
            here = driver.top(thread)["id"]
            driver.evaluate("os.write(2, b'begin\\n')", here)
            program.wait_line("begin\n", errors=True)
            for each in (observer, another):  # any number of them, and all see the stop
                assert each.wait_stopped()["threadId"] == thread
                assert each.request("exceptionInfo", threadId=thread)["exceptionId"].endswith("Oops")
                frame = each.top(thread)
                assert any(row["name"] == "haunted" for row in each.request("modules")["modules"])
                assert "class Trap" in each.request("source", source=frame["source"])["content"]
                seen: set[str] = set()
                for scope in each.scopes(frame["id"]).values():
                    open_all(each, scope["variablesReference"], 3, seen)
                assert {"trap", "inside", "spring", "within", "computed", "odd_list", "odd_kinds"} <= seen
                for command in sorted(set(_doing(each))):
                    with pytest.raises(Refused, match=r"not-supported.*An observer may only look"):
                        each.request(command)
            driver.evaluate("os.write(2, b'end\\n')", here)
            program.wait_line("end\n", errors=True)
            assert "begin\nend\n" in program.errors
            driver.continue_(thread)
            driver.disconnect()
        program.stdin_line("")
        assert program.returncode() == 0


def test_observers_are_told_that_the_program_runs_on_when_its_driver_leaves() -> None:
    assert NEWEST is not None
    with Program(NEWEST, TICKING, enable={"secret": SECRET, "observer_secret": "look"}) as program:
        with DapClient.connect(program.address, login=False) as observer:
            observer.login("look", user="observer")
            observer.attach()
            with DapClient.connect(program.address, SECRET) as driver:
                driver.attach({program.path: [program.line("tick")]})
                driver.wait_stopped()
                observer.wait_stopped()
                driver.disconnect()
            observer.expect_event("continued", allThreadsContinued=True)
            with DapClient.connect(program.address, SECRET) as driver:
                driver.attach({program.path: [program.line("tick")]})
                driver.wait_stopped()
                observer.wait_stopped()
                driver.disconnect(suspendDebuggee=True)
            with DapClient.connect(program.address, SECRET) as driver:
                driver.attach()
                thread = driver.wait_stopped()["threadId"]
                assert not [each for each in observer.drain() if each.get("event") == "continued"]
                driver.continue_(thread)
                driver.disconnect()


def test_who_looks_on_is_told_who_drives() -> None:
    assert NEWEST is not None
    with Program(NEWEST, TICKING, enable={"secret": SECRET, "observer_secret": "look"}) as program:
        with DapClient.connect(program.address, login=False) as observer:
            observer.login("look", user="observer")
            observer.attach()
            with DapClient.connect(program.address, SECRET) as driver:
                driver.attach()
                assert "debugs this program now" in observer.expect_event("output")["output"]
                with DapClient.connect(program.address, SECRET) as second:
                    second.attach(force=True)
                    assert "took over the debugging" in observer.expect_event("output")["output"]
                    driver.expect_event("terminated")
                    second.disconnect()
            assert "detached; the program runs on" in observer.expect_event("output")["output"]


def test_who_might_drive_can_look_on_only() -> None:
    """Where no secret says it, the request does; and whoever has the one secret there is may come to look."""
    assert NEWEST is not None
    for secret in (None, SECRET):
        with Program(NEWEST, TICKING, enable={"secret": secret}) as program:
            with (
                DapClient.connect(program.address, SECRET if secret else None) as driver,
                DapClient.connect(program.address, login=False) as observer,
            ):
                driver.attach()
                if secret:
                    observer.login(secret, user="observer")
                    observer.attach()
                else:
                    observer.attach(observe=True)
                for command in ("pause", "evaluate", "setBreakpoints"):
                    with pytest.raises(Refused, match=r"not-supported.*An observer may only look"):
                        observer.request(command)
                with pytest.raises(Refused, match=r"bad-request.*this connection drives"):
                    driver.request("attach", observe=True)
                observer.disconnect()
                driver.request("pause", threadId=1)
                driver.wait_stopped()
                driver.disconnect()


TICKING = """\
#
import time
while True:
    time.sleep(0.01)
    ticked = True  # @tick
"""


def _doing(client: DapClient) -> list[str]:
    """Requests that do more than look."""
    found: list[Any] = [
        "evaluate", "setVariable", "setExpression", "completions", "continue", "next", "stepIn", "stepOut",
        "remora/return", "remora/until", "pause", "goto", "gotoTargets", "setBreakpoints",
        "setFunctionBreakpoints", "setExceptionBreakpoints", "terminate",
    ]  # fmt: skip
    return found


def test_who_reads_no_answers_gets_no_more_of_them() -> None:
    """They are kept here until they are read."""
    assert NEWEST is not None
    with Program(NEWEST, IDLE, enable={"secret": SECRET, "observer_secret": "look"}) as program:
        with DapClient.connect(program.address, login=False) as observer:
            observer.login("look", user="observer")
            observer.attach()
            observer.request("loadedSources")
            before = memory(program)
            asked = b"".join(request(100 + number, "loadedSources") for number in range(4000))
            sender = threading.Thread(target=lambda: observer.send_bytes(asked))
            sender.start()
            until = time.monotonic() + 3  # by then all would be answered, or a good part
            while time.monotonic() < until:
                with DapClient.connect(program.address, SECRET) as driver:  # nobody else is kept waiting
                    driver.attach()
                    driver.request("threads")
                    driver.disconnect()
                assert memory(program) - before < 8_000
            answers, rest = 0, b""
            while answers < 4000:  # and when they are read, it goes on to the last one
                *frames, rest = (rest + observer.socket.recv(1 << 20)).split(b"Content-Length: ")
                answers += sum(b'"request_seq":' in frame for frame in frames)
                answers += b'"request_seq":4099' in rest
            sender.join()


SHORT_OF_PATIENCE = """\
#
import sys, time
import remora._sessions._session as session
session.HOPELESS = session.CONGESTED + 100_000  # what 256 MB would do, in seconds
while True:
    time.sleep(0.001)
"""


def test_who_never_reads_what_cannot_be_left_out_is_let_go(tmp_path: Path) -> None:
    assert NEWEST is not None
    log = tmp_path / "remora.log"
    enable, env = {"secret": SECRET, "observer_secret": "look"}, {"REMORA_LOG": str(log)}
    with Program(NEWEST, SHORT_OF_PATIENCE, enable=enable, env=env) as program:
        with (
            DapClient.connect(program.address, login=False) as observer,
            DapClient.connect(program.address, SECRET).attach() as driver,
        ):
            observer.login("look", user="observer")
            observer.attach()
            asked = b"".join(request(100 + number, "loadedSources") for number in range(4000))

            def ask() -> None:
                with contextlib.suppress(OSError):
                    observer.send_bytes(asked)

            sender = threading.Thread(target=ask)
            sender.start()
            thread = driver.threads()[0]["id"]
            for _ in range(4000):
                driver.pause(thread)
                driver.wait_stopped()
                driver.continue_(thread)
                if "left: it does not read what is sent to it" in log.read_text():
                    break
            else:
                pytest.fail("it was kept")
            sender.join()
            driver.request("threads")  # nobody else is let go


def test_nothing_waits_for_an_observer() -> None:
    assert NEWEST is not None
    with Program(NEWEST, STARTING, enable={"secret": SECRET, "observer_secret": "look"}) as program:
        with DapClient.connect(program.address, login=False) as observer:
            observer.login("look", user="observer")
            observer.request("remora/watch", follow=[program.pid])
            program.stdin_line(str(program.address[1]))
            assert float(program.wait_line(r"TOOK (\S+)$")[1]) < 2


STARTING = """\
#
import subprocess, sys
CHILD = '''
import sys, time, remora
begun = time.monotonic()
remora.enable_attach("open sesame", ("127.0.0.1", int(sys.argv[1])))
print("TOOK", time.monotonic() - begun, flush=True)
'''
for line in sys.stdin:
    subprocess.run([sys.executable, "-c", CHILD, line.strip()])
"""
