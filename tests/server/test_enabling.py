"""The functions of `import remora`, on every Python: what they start, what they leave, what they refuse."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.server.certificates import make_certificate
from tests.server.inside import run_inside
from tests.support.dap import DapClient, Refused, trusting_context
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.program import Program, interrupt

WAITING = """\
#
import remora, threading, time
print("before", remora.is_attached(), flush=True)
print("waited", remora.wait_for_attach(), flush=True)
print("after", remora.is_attached(), flush=True)
x = 1
remora.break_into_debugger()
x = 2  # @first
breakpoint()
x = 3  # @second
print("ended", flush=True)
"""


def test_importing_starts_nothing_and_imports_nothing(interpreter: Interpreter) -> None:
    found = run_inside(
        interpreter,
        """
        import sys, json, threading
        before = set(sys.modules)
        import remora
        print(json.dumps([sorted(set(sys.modules) - before), threading.active_count()]))
        """,
    )
    assert set(found[0]) - {"__future__"} == {"remora", "remora._errors"}
    assert found[1] == 1


def test_it_is_enabled_once_from_any_thread_and_disabled_without_a_trace(interpreter: Interpreter) -> None:
    found = run_inside(
        interpreter,
        """
        import sys, os, json, threading, time, _thread
        import remora
        arguments = dict(secret="x", address=("127.0.0.1", 0), name="me")
        def sockets():
            names = ("/proc/self/fd/" + name for name in os.listdir("/proc/self/fd"))
            links = [os.readlink(name) for name in names if os.path.lexists(name)]
            return sum(link.startswith(("socket:", "anon_inode:")) for link in links)
        threads, descriptors = threading.active_count(), sockets()
        found = []
        def enable():
            found.append(remora.enable_attach(**arguments))
        callers = [threading.Thread(target=enable) for _ in range(4)]
        for caller in callers: caller.start()
        for caller in callers: caller.join()
        same = len(set(found)) == 1
        try:
            remora.enable_attach("y", ("127.0.0.1", 0), name="me")
            refused = ""
        except remora.AttachAlreadyEnabledError as error:
            refused = str(error)
        def others(wanted):  # a thread is counted a moment after it was started, and before it has ended
            deadline = time.monotonic() + 5
            while _thread._count() + 1 - threads != wanted and time.monotonic() < deadline:
                time.sleep(0)
            return _thread._count() + 1 - threads
        alive = others(1)
        remora.disable_attach()
        remora.disable_attach()
        left = others(0), sockets() - descriptors
        monitoring = getattr(sys, "monitoring", None)
        tools = [monitoring.get_tool(n) for n in range(6)] if monitoring else []
        again = remora.enable_attach("y", ("127.0.0.1", 0))[1] > 0
        remora.disable_attach()
        print(json.dumps([same, refused, alive, left, sys.gettrace() is None, tools, again]))
        """,
    )
    same, refused, alive, left, untraced, tools, again = found
    assert same and again and untraced
    assert "disable_attach" in refused
    assert alive == 1
    assert left == [0, 0]
    assert not any(tools)


def test_waiting_ends_with_configuration_done_and_the_calls_stop_behind_themselves(
    interpreter: Interpreter,
) -> None:
    with Program(interpreter, WAITING, enable={}, env={"PYTHONBREAKPOINT": "remora.breakpoint"}) as program:
        program.wait_line("before False")
        with DapClient.connect(program.address) as client:
            client.initialize()
            client.request("attach")
            client.request("threads")
            assert "waited" not in program.output
            client.request("configurationDone")
            program.wait_line("waited True\nafter True")
            for marker in ("first", "second"):
                thread = client.wait_stopped()["threadId"]
                top = client.top(thread)
                assert (top["name"], top["line"]) == ("<module>", program.line(marker))
                client.continue_(thread)
            client.expect_event("terminated")
            client.wait_closed()
        assert program.returncode() == 0


def test_without_a_client_the_calls_do_nothing(interpreter: Interpreter) -> None:
    with Program(
        interpreter, "#\nimport remora\nremora.break_into_debugger()\nbreakpoint()\nprint('ran')\n",
        env={"PYTHONBREAKPOINT": "remora.breakpoint"},
    ) as program:  # fmt: skip
        assert program.returncode() == 0
        assert program.output == "ran\n"


def test_waiting_times_out_and_can_be_interrupted(interpreter: Interpreter) -> None:
    source = """\
#
import remora, time
begun = time.monotonic()
print(remora.wait_for_attach(0.5), 0.4 < time.monotonic() - begun < 1.5, flush=True)
try:
    print("waiting", flush=True)
    remora.wait_for_attach()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    with Program(interpreter, source, enable={}) as program:
        program.wait_line("False True\nwaiting")
        interrupt(program)
        program.wait_line("interrupted")
        assert program.returncode() == 0


def test_waiting_ends_when_the_server_is_disabled(interpreter: Interpreter) -> None:
    source = """\
#
import remora, threading
threading.Timer(0.2, remora.disable_attach).start()
print(remora.wait_for_attach(20))
"""
    with Program(interpreter, source, enable={}) as program:
        program.wait_line("False")
        assert program.returncode() == 0


def test_waiting_without_enabling_says_what_is_missing() -> None:
    assert NEWEST is not None
    with Program(NEWEST, "#\nimport remora\nremora.wait_for_attach(1)\n") as program:
        assert program.returncode() == 1
        assert "enable_attach()" in program.errors


def test_a_script_of_2017_runs_as_it_is(interpreter: Interpreter) -> None:
    source = """\
#
import remora as ptvsd
address = ptvsd.enable_attach('secret', address=('0.0.0.0', 0))
print('REMORA_ADDRESS', '127.0.0.1', address[1], flush=True)
print(address[0], ptvsd.is_attached())
ptvsd.wait_for_attach()
ptvsd.break_into_debugger()
done = True  # @here
"""
    with Program(interpreter, source, warnings="default") as program:
        with DapClient.connect(program.address, "secret").attach() as client:
            thread = client.wait_stopped()["threadId"]
            assert client.top(thread)["line"] == program.line("here")
            client.disconnect()
        assert program.returncode() == 0
        assert "InsecureWarning: Remora listens on 0.0.0.0 with no TLS" in program.errors
        assert "pass certfile and keyfile" in program.errors
        assert program.output.endswith("0.0.0.0 False\n")


@pytest.mark.parametrize(
    ("call", "warnings"),
    [
        ("'s', ('127.0.0.1', 0)", 0),
        ("None, ('127.0.0.1', 0)", 0),
        ("'s', ('localhost', 0)", 0),
        ("'s', ('0.0.0.0', 0)", 1),
        ("None, ('0.0.0.0', 0)", 1),
        ("'s', ('0.0.0.0', 0), CERT", 0),
        ("None, ('0.0.0.0', 0), CERT", 1),
        ("'s', ('', 0)", 1),
    ],
)
def test_insecure_addresses_warn_once(call: str, warnings: int, tmp_path: Path) -> None:
    assert NEWEST is not None
    certificate = make_certificate(tmp_path)
    found = run_inside(
        NEWEST,
        f"""
        import json, warnings, remora
        CERT = {str(certificate)!r}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            remora.enable_attach({call})
            remora.enable_attach({call})
        print(json.dumps([[w.category.__name__, w.filename, str(w.message)] for w in caught]))
        """,
    )
    assert len(found) == warnings
    for category, filename, text in found:
        assert category == "InsecureWarning"
        assert filename == "<string>"  # the caller's own line
        assert "ssh -L" in text


def test_the_default_address_without_a_secret_is_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert NEWEST is not None
        found = run_inside(
            NEWEST,
            f"""
            import json, remora, remora._api as api
            try:
                remora.enable_attach("s", ("127.0.0.1", {port}))
                error = None
            except OSError as raised:
                error = type(raised).__name__
            print(json.dumps([error, api._HERE, api._EVERYWHERE, remora.is_attached()]))
            """,
        )
    assert found == ["OSError", ["127.0.0.1", 5678], ["0.0.0.0", 5678], False]


def test_ipv6(interpreter: Interpreter) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with Program(interpreter, "#\ninput()\n", enable={"address": ("::1", 0), "secret": "x"}) as program:
        with DapClient.connect(program.address, "x") as client:
            (process,) = client.request("remora/processes")["processes"]
            assert process["address"] == f"[::1]:{program.address[1]}"
            assert process["pid"] == program.pid


def test_a_process_says_what_it_is(interpreter: Interpreter) -> None:
    with Program(interpreter, "#\ninput()\n", ["one", "--secret", "two"], enable={}) as program:
        with DapClient.connect(program.address) as client:
            (process,) = client.request("remora/processes")["processes"]
            assert process["name"] == "program.py"
            assert process["argv"][1:] == ["one", "--secret", "…"]
            assert process["version"] == ".".join(map(str, interpreter.version))
            assert process["implementation"] == interpreter.implementation
            assert process["state"] == "running"
            assert process["attachedBy"] is None
            client.attach()
            (process,) = client.request("remora/processes")["processes"]
            assert process["attachedBy"].startswith("tests@127.0.0.1:")


def test_tls_binds_the_login_to_the_certificate(interpreter: Interpreter, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, password="of the key")
    enable = {"secret": "x", "certfile": str(certificate), "password": "of the key"}
    with Program(interpreter, "#\ninput()\n", enable=enable) as program:
        with DapClient.connect(program.address, tls=True, login=False) as client:
            assert client.hello()["mechanisms"] == ["SCRAM-SHA-256-PLUS"]
        with DapClient.connect(program.address, "x", tls=True).attach() as client:
            assert client.threads()
        with DapClient.connect(program.address, tls=True, login=False) as client:
            client.certificate = b"that of a man in the middle"
            with pytest.raises(Refused, match="somebody stands in between"):
                client.login("x")


def test_certificates_may_go_once_they_were_read(interpreter: Interpreter, tmp_path: Path) -> None:
    server, authority = make_certificate(tmp_path), make_certificate(tmp_path, "authority")
    context = trusting_context()
    context.load_cert_chain(make_certificate(tmp_path, "client", issuer=authority))
    enable = {"secret": "x", "certfile": str(server), "client_cafile": str(authority)}
    with Program(interpreter, "#\ninput()\n", enable=enable) as program:
        assert program.address
        server.write_bytes(b"another one")  # renewed, say; what was loaded goes on to be shown
        authority.unlink()
        with DapClient.connect(program.address, "x", tls=context).attach() as client:
            assert client.threads()


def test_an_encrypted_key_without_its_password_is_an_error_and_no_question(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, password="of the key")
    assert NEWEST is not None
    found = run_inside(
        NEWEST,
        f"""
        import json, ssl, remora
        try:
            remora.enable_attach("x", ("127.0.0.1", 0), {str(certificate)!r})
        except ssl.SSLError:
            print(json.dumps("refused"))
        """,
    )
    assert found == "refused"


def test_mutual_tls_lets_in_only_clients_of_the_authority(interpreter: Interpreter, tmp_path: Path) -> None:
    server, authority = make_certificate(tmp_path), make_certificate(tmp_path, "authority")
    ours = make_certificate(tmp_path, "client", issuer=authority)
    enable = {"secret": "x", "certfile": str(server), "client_cafile": str(authority)}
    with Program(interpreter, "#\ninput()\n", enable=enable) as program:
        with pytest.raises((OSError, ConnectionError)):
            DapClient.connect(program.address, "x", tls=True)
        context = trusting_context()
        context.load_cert_chain(ours)
        with DapClient.connect(program.address, "x", tls=context) as client:
            client.attach()
