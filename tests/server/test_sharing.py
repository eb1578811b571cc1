"""Several processes behind one port: who is listed, how each is reached, and who takes the port over."""

from __future__ import annotations

import base64
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.server.certificates import make_certificate
from tests.server.inside import run_inside
from tests.support.dap import DapClient, Refused
from tests.support.interpreters import INTERPRETERS, NEWEST, Interpreter
from tests.support.ports import free_port
from tests.support.program import Program, runtime_folder
from tests.support.waiting import until

SITTING = """\
#
import time
def work(n):
    return n + 1  # @work
n = 0
while True:
    n = work(n)
    time.sleep(0.01)
"""
FOLDER = f"{runtime_folder()}/remora"


class Fleet:
    """Programs that share a port, and end with the test."""

    def __init__(self, stack: ExitStack) -> None:
        self.address = ("127.0.0.1", free_port())
        self._stack = stack

    def start(self, interpreter: Interpreter = NEWEST, **enable: Any) -> Program:
        program = Program(interpreter, SITTING, enable={"address": self.address, **enable})
        self._stack.enter_context(program)
        _ = program.address
        return program

    def connect(self, secret: str | None = None, **options: Any) -> DapClient:
        return self._stack.enter_context(DapClient.connect(self.address, secret, **options))

    def open(self, program: Program, secret: str | None = None, **options: Any) -> DapClient:
        """A client of this program, through the owner of the port."""
        client = self.connect(secret, **options)
        if client.request("remora/open", pid=program.pid).get("relayed"):
            client.login(secret)
        return client

    def pids(self, secret: str | None = None) -> list[int]:
        with DapClient.connect(self.address, secret) as client:
            return [each["pid"] for each in client.request("remora/processes")["processes"]]

    def wait_for(self, *programs: Program, secret: str | None = None, seconds: float = 5) -> float:
        """Until these are behind the port and nobody else is; how long that took."""
        begun = time.monotonic()
        wanted = {each.pid for each in programs}
        while True:
            try:
                found = set(self.pids(secret))
            except ConnectionError:
                found = set()
            if found == wanted:
                return time.monotonic() - begun
            assert time.monotonic() < begun + seconds, (found, wanted)


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with ExitStack() as stack:
        yield Fleet(stack)


def registered(fleet: Fleet) -> list[str]:
    """The names in the registry that say who owns the port."""
    return [name for name in os.listdir(FOLDER) if name.startswith(f"{fleet.address[1]}.")]


def test_siblings_join_the_port_and_each_is_debugged_through_it(
    interpreter: Interpreter, fleet: Fleet
) -> None:
    owner, second = fleet.start(name="owner"), fleet.start(interpreter, name="second")
    assert second.address == fleet.address
    with fleet.connect() as client:
        rows = client.request("remora/processes")["processes"]
        assert [(row["pid"], row["name"]) for row in rows] == [(owner.pid, "owner"), (second.pid, "second")]
        assert rows[1]["version"] == ".".join(map(str, interpreter.version))
        assert rows[1]["address"] == rows[0]["address"] == f"127.0.0.1:{fleet.address[1]}"
    for program in (second, owner):
        with fleet.open(program).attach({program.path: [program.line("work")]}) as client:
            stop = client.wait_stopped()
            assert client.evaluate("__import__('os').getpid()", client.top(stop["threadId"])["id"])[
                "result"
            ] == str(program.pid)
            client.disconnect()


def test_what_happens_to_one_is_in_the_list(fleet: Fleet) -> None:
    fleet.start()
    second = fleet.start()
    watching = fleet.connect()
    assert len(watching.request("remora/watch")["processes"]) == 2
    with fleet.open(second).attach({second.path: [second.line("work")]}) as client:
        client.wait_stopped()
        seen = watching.expect_event("remora/process", reason="changed")["process"]
        while seen["state"] != "stopped":
            seen = watching.expect_event("remora/process", reason="changed")["process"]
        assert (seen["pid"], seen["attachedBy"].split("@")[0]) == (second.pid, "tests")
        rows = watching.request("remora/processes")["processes"]
        assert rows[1] == seen
        client.disconnect()
    third = fleet.start(name="third")
    assert watching.expect_event("remora/process", reason="new")["process"]["name"] == "third"
    third.signal(signal.SIGKILL)
    assert watching.expect_event("remora/process", reason="gone")["process"]["pid"] == third.pid
    until(lambda: not os.path.exists(f"{FOLDER}/{third.pid}.sock"), "others to remove what it left")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_owner_dies_another_has_the_port_within_a_second(fleet: Fleet, end: signal.Signals) -> None:
    owner, *others = (fleet.start(each) for each in (NEWEST, *INTERPRETERS[:3]))
    fleet.wait_for(owner, *others)
    owner.signal(end)
    owner.returncode()
    assert fleet.wait_for(*others, seconds=5) < 1
    (mark,) = registered(fleet)
    assert mark.split(".")[2] in [str(each.pid) for each in others]
    until(lambda: not os.path.exists(f"{FOLDER}/{owner.pid}.sock"), "others to remove what it left")
    late = fleet.start()
    fleet.wait_for(*others, late)


def test_the_port_goes_on_when_its_owner_turns_debugging_off() -> None:
    found = run_inside(
        NEWEST,
        f"""
        import json, os, remora, subprocess, sys, time
        address = ("127.0.0.1", {free_port()})
        remora.enable_attach("x", address)
        code = "import remora, sys; remora.enable_attach('x', {{}}); sys.stdin.read()".format(address)
        other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
        from remora import _api
        deadline = time.monotonic() + 20
        gateway = _api._state.enabled.port.gateway
        while not gateway.members and time.monotonic() < deadline: time.sleep(0.01)
        remora.disable_attach()
        while time.monotonic() < deadline:  # and now it is the other one's
            back = remora.enable_attach("x", address)
            owner = _api._state.enabled.port.owner
            remora.disable_attach()
            if owner == other.pid: break
        other.stdin.close()
        other.wait()
        print(json.dumps([back, owner == other.pid]))
        """,
    )
    assert found[1]


def test_a_session_that_led_through_the_owner_outlives_it(fleet: Fleet) -> None:
    owner, second = fleet.start(), fleet.start()
    client = fleet.open(second)
    client.initialize()
    token = client.request("attach")["remora"]["token"]
    client.set_breakpoints(second.path, [second.line("work")])
    client.request("configurationDone")
    client.wait_stopped()
    owner.signal(signal.SIGKILL)
    client.wait_closed()
    fleet.wait_for(second)
    with fleet.open(second) as again:
        again.initialize()
        answer = again.request("attach", resume=token)
        assert answer["remora"]["resumed"]
        again.request("configurationDone")
        assert again.top(again.wait_stopped()["threadId"])["line"] == second.line("work")
        again.disconnect()


def test_a_relayed_client_that_dies_lets_its_program_go(fleet: Fleet) -> None:
    fleet.start()
    second = fleet.start()
    with fleet.open(second).attach({second.path: [second.line("work")]}) as client:
        client.wait_stopped()
    with fleet.connect() as client:
        until(lambda: not client.request("remora/processes")["processes"][1]["attachedBy"], "its row", 3)


def test_each_has_its_own_secret_and_the_port_is_no_way_around_it(fleet: Fleet) -> None:
    fleet.start(secret="one")
    second = fleet.start(secret="two")
    with fleet.connect("one") as client:
        assert client.request("remora/open", pid=second.pid) == {"relayed": True}
        for command in ("remora/processes", "attach"):
            with pytest.raises(Refused, match="auth-required"):
                client.request(command)
        client.login("two")
        client.attach()
        client.disconnect()
    with fleet.connect("one") as client:
        client.request("remora/open", pid=second.pid)
        with pytest.raises(Refused, match="auth-failed"):
            client.login("one")
    with fleet.connect("one") as client:  # and a wrong one has its price, as it has at the port itself
        client.request("remora/open", pid=second.pid)
        with pytest.raises(Refused, match="auth-throttled"):
            client.login("two")


def test_what_is_sent_behind_the_wish_to_open_reaches_the_other_process(fleet: Fleet) -> None:
    fleet.start()
    second = fleet.start()
    with fleet.connect() as client:
        client.begin("remora/open", pid=second.pid)
        asked = client.begin("remora/processes")
        (row,) = client.finish(asked)["processes"]
        assert row["pid"] == second.pid


def test_who_has_gone_on_to_another_process_watches_no_more(fleet: Fleet) -> None:
    """Events of the owner's would be in the middle of the other one's bytes, and nobody follows any more."""
    fleet.start()
    second = fleet.start()
    with fleet.connect() as client:
        client.request("remora/watch", follow=[os.getpid()])
        client.request("remora/open", pid=second.pid)
        client.login(None)
        begun = time.monotonic()
        fleet.start()
        assert time.monotonic() - begun < 2.5, "it waited for who does not follow it"
        client.request("remora/processes")
        assert not client.events


def test_who_debugs_one_process_cannot_go_on_to_another(fleet: Fleet) -> None:
    """It would be counted as attached for ever, and hold what it had stopped."""
    owner, second = fleet.start(), fleet.start()
    with fleet.connect() as client:
        client.begin("attach")
        with pytest.raises(Refused, match=f"debugs process {owner.pid}.*connection of its own"):
            client.request("remora/open", pid=second.pid)
    with fleet.connect() as client:
        until(
            lambda: client.request("remora/processes")["processes"][0]["attachedBy"] is None,
            "nobody is attached",
        )


FULL = """\
#
import os, resource, sys, time
sys.stdin.readline()
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
held = []
try:
    while True:
        held.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    print("full", flush=True)
sys.stdin.readline()
begun = time.process_time()
time.sleep(1)
print("busy", time.process_time() - begun, flush=True)
for each in held:
    os.close(each)
sys.stdin.readline()
"""


def test_an_owner_without_descriptors_is_not_kept_busy_by_who_would_join(
    fleet: Fleet, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    enable = {"address": fleet.address}
    with Program(NEWEST, FULL, enable=enable, env={"REMORA_LOG": str(log)}) as owner:
        _ = owner.address
        owner.stdin_line("")
        owner.wait_line("full")
        joining = fleet.start()
        owner.stdin_line("")
        assert float(owner.wait_line(r"busy (\S+)")[1]) < 0.5
        assert log.read_text(encoding="ascii").count("could not join") < 20
        fleet.wait_for(owner, joining)


def test_the_wish_for_a_process_that_is_not_there_leaves_the_connection_as_it_was(fleet: Fleet) -> None:
    owner, second = fleet.start(), fleet.start()
    fleet.wait_for(owner, second)
    with fleet.connect() as client:
        with pytest.raises(Refused, match="no-such-process"):
            client.request("remora/open", pid=1)
        second.signal(signal.SIGSTOP)
        try:
            begun = time.monotonic()
            assert len(client.request("remora/processes")["processes"]) == 2
            assert time.monotonic() - begun < 0.5
            with pytest.raises(Refused, match="does not answer"):
                client.request("remora/open", pid=second.pid)
            client.request("remora/open", pid=owner.pid)
            client.attach()
            with pytest.raises(Refused, match="debugs process"):
                client.request("remora/open", pid=second.pid)
        finally:
            second.signal(signal.SIGCONT)


def test_a_login_through_the_owner_is_bound_to_the_owners_certificate(fleet: Fleet, tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path, "first"), make_certificate(tmp_path, "second")
    fleet.start(secret="x", certfile=str(first))
    other = fleet.start(secret="x", certfile=str(second))
    with fleet.open(other, "x", tls=True).attach() as client:
        client.disconnect()
    with fleet.connect("x", tls=True) as client:
        client.request("remora/open", pid=other.pid)
        client.certificate = b"that of a man in the middle"
        with pytest.raises(Refused, match="somebody stands in between"):
            client.login("x")


@pytest.mark.parametrize("asks", ["tls", "certificates"])
def test_the_owner_cannot_give_less_than_a_process_asks_for(fleet: Fleet, tmp_path: Path, asks: str) -> None:
    certificate, authority = make_certificate(tmp_path), make_certificate(tmp_path, "authority")
    own: dict[str, Any] = {"certfile": str(certificate)} if asks == "certificates" else {}
    fleet.start(secret="x", **own)
    strict = fleet.start(secret="x", certfile=str(certificate), client_cafile=str(authority))
    with fleet.connect("x", tls=asks == "certificates") as client:
        expected = "asks for TLS" if asks == "tls" else "a client's certificate"
        with pytest.raises(Refused, match=expected):
            client.request("remora/open", pid=strict.pid)


def test_nobody_but_the_users_own_processes_may_introduce_a_client(fleet: Fleet) -> None:
    program = fleet.start(secret="x")
    introduction = {"name": "a", "key": "a", "local": True, "binding": base64.b64encode(b"x").decode()}
    with fleet.connect("x") as client, pytest.raises(Refused, match="Only the owner of a port"):
        client.request("remora/relay", introduction)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(f"{FOLDER}/{program.pid}.sock")
        with DapClient(sock) as client:
            with pytest.raises(Refused, match="base64"):
                client.request("remora/relay", {**introduction, "binding": "?"})
            client.request("remora/relay", introduction)
            with pytest.raises(Refused, match="auth-required"):
                client.request("remora/processes")


def test_a_process_for_this_machine_only_is_not_shown_to_others(fleet: Fleet) -> None:
    host = next((each for each in _own_addresses() if not each.startswith("127.")), None)
    if host is None:
        pytest.skip("this machine has no address but loopback's")
    port = fleet.address[1]
    public = Program(NEWEST, SITTING, enable={"address": ("0.0.0.0", port), "secret": "x"}, warnings="ignore")
    with public:
        _ = public.address
        private = fleet.start(secret="x")
        assert private.address == ("0.0.0.0", port)
        assert fleet.pids("x") == [public.pid, private.pid]
        with DapClient.connect((host, port), "x") as client:
            assert len(client.request("remora/processes")["processes"]) == 1
            with pytest.raises(Refused, match="no-such-process"):
                client.request("remora/open", pid=private.pid)


def _own_addresses() -> list[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return []
        return [sock.getsockname()[0]]


def test_a_port_of_somebody_else_is_an_error_also_beside_siblings(fleet: Fleet) -> None:
    fleet.start()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        found = run_inside(
            NEWEST,
            f"""
            import errno, json, remora
            try:
                remora.enable_attach("s", ("127.0.0.1", {port}))
            except OSError as error:
                print(json.dumps(error.errno == errno.EADDRINUSE))
            """,
        )
    assert found is True
