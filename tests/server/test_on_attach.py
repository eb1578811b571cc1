"""`remora.on_attach`: the program's owner decides who gets in, at every door, and silence is a no."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bridge import Bridge
from tests.support.command import Remora
from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST, ROOT, Interpreter
from tests.support.program import Program, runtime_folder, threads_and_sockets
from tests.support.waiting import until

SECRET = "open sesame"
HOOKED = """\
#
import logging, sys, threading, time
import remora

answers = {{}}
parent = 0

@remora.on_attach
def hook(client):
    {body}

{after}
while True:
    time.sleep(0.01)
    continue
"""
FORK = "import os; parent = os.getpid(); os.fork()"
PRINTS = "print(client, flush=True)"


def start(body: str, enable: dict[str, Any] | None = None, **more: Any) -> Program:
    assert NEWEST is not None
    interpreter = more.pop("interpreter", NEWEST)
    text = HOOKED.format(body=body, after=more.pop("after", ""))
    return Program(interpreter, text, enable={"secret": SECRET, **(enable or {})}, **more)


def refusal(program: Program, **arguments: Any) -> Refused:
    with DapClient.connect(program.address, SECRET) as client:
        with pytest.raises(Refused) as caught:
            client.attach(**arguments)
        client.wait_closed()
        return caught.value


def test_a_hook_is_told_who_comes_and_lets_in(interpreter: Interpreter) -> None:
    with start(PRINTS, interpreter=interpreter) as program:
        before = time.time()
        with DapClient.connect(program.address, SECRET) as client:
            client.attach()
            told = program.wait_line(r"^Client\((.*)\)$")[1]
            client.disconnect()
        told, _, seconds = told.rpartition(", time=")
        peer = told.partition("peer='")[2].partition("'")[0]
        assert told == (
            f"name='tests', version='0', peer='{peer}', role='driver', is_local=True, is_same_user=False, "
            "tls=False, takes_over=False, returns=False"
        )
        assert peer.startswith("127.0.0.1:")
        assert before - 1 < float(seconds) < time.time() + 1
        assert SECRET not in program.output


def test_false_refuses_and_the_next_may_be_let_in(tmp_path: Path) -> None:
    file = tmp_path / "log"
    env = {"REMORA_LOG": str(file)}
    with start("return client.name != 'mallory'", env=env) as program:
        with DapClient.connect(program.address, login=False) as client:
            client.login(SECRET)
            client.hello(client={"name": "mallory", "version": "6"})
            with pytest.raises(Refused, match="its on_attach hook said no") as caught:
                client.attach()
            assert caught.value.code == "attach-refused"
            assert caught.value.error["id"] == 19
            client.wait_closed()
        with DapClient.connect(program.address, SECRET) as client:
            client.attach()
            client.disconnect()
    log = file.read_text()
    assert "warning mallory@127.0.0.1" in log
    assert "attach refused: attach-refused: The program does not let you attach" in log
    assert SECRET not in log


@pytest.mark.parametrize("body", ["raise ValueError('no')", "sys.exit()", "import no_such_module"])
def test_a_hook_that_fails_lets_nobody_in(body: str, tmp_path: Path) -> None:
    file = tmp_path / "log"
    with start(body, env={"REMORA_LOG": str(file)}) as program:
        refused = refusal(program)
        assert (refused.code, "hook failed" in refused.text) == ("attach-refused", True)
        assert program.process.poll() is None
        assert program.errors == ""
    assert "Traceback" in file.read_text()


UNTOLD = """\
class Meta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)
class Untold(Exception, metaclass=Meta):
    pass
"""


def test_a_failure_that_cannot_be_told_lets_nobody_in_and_prints_nothing(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with start("raise Untold", after=UNTOLD, env={"REMORA_LOG": str(file)}) as program:
        assert refusal(program).code == "attach-refused"
        assert program.process.poll() is None
        assert program.errors == ""
    assert "on_attach" in file.read_text()


@pytest.mark.parametrize("answer", ["0", "''", "1", "'yes'", "[]"])
def test_only_true_or_none_lets_in(answer: str) -> None:
    with start(f"return {answer}") as program:
        assert "neither True nor False" in refusal(program).text


def test_one_that_hangs_lets_nobody_in_and_holds_nobody_up() -> None:
    with start("client.role == 'observer' or time.sleep(3600)", {"observer_secret": "look"}) as program:
        with DapClient.connect(program.address, SECRET) as stuck:
            stuck.initialize()
            asked = time.monotonic()
            attaching = stuck.begin("attach")
            with DapClient.connect(program.address, SECRET) as other:
                assert other.request("remora/processes")["processes"][0]["attachedBy"] is None
            with DapClient.connect(program.address, login=False) as observer:
                observer.login("look", user="observer")
                observer.attach()
                assert time.monotonic() - asked < 4
            with pytest.raises(Refused, match="not answered within 5 seconds"):
                stuck.finish(attaching)
            assert 4.5 < time.monotonic() - asked < 15


def test_a_flood_of_attaches_starts_few_threads_and_is_answered() -> None:
    with start("time.sleep(3600)") as program:
        clients = [DapClient.connect(program.address, SECRET) for _ in range(30)]
        try:
            numbers = []
            for client in clients:
                client.initialize()
                numbers.append(client.begin("attach"))
            told = []
            for client, number in zip(clients, numbers, strict=True):
                with pytest.raises(Refused) as caught:
                    client.finish(number)
                told.append(caught.value.text)
            assert {caught.rpartition("hook ")[2] for caught in told} == {
                "has too many others to decide about.",
                "has not answered within 5 seconds.",
            }
            assert len([each for each in told if "too many" in each]) == 30 - 4 - 16
        finally:
            for client in clients:
                client.close()
        assert threads_and_sockets(program.pid)[0] <= 2 + 4


def test_many_at_once_are_all_let_in() -> None:
    with start("time.sleep(0.2)", {"observer_secret": "look"}) as program:
        clients = []
        for _ in range(12):
            client = DapClient.connect(program.address, login=False)
            client.login("look", user="observer")
            client.initialize()
            clients.append((client, client.begin("attach")))
        for client, number in clients:
            client.finish(number)
            client.close()


def test_a_take_over_and_who_is_turned_away_keeps_nobody_out() -> None:
    with start("print(client.takes_over, flush=True); return not client.takes_over") as program:
        with DapClient.connect(program.address, SECRET) as first:
            first.attach()
            program.wait_line("^False$")
            with DapClient.connect(program.address, SECRET) as second:
                with pytest.raises(Refused, match="already-attached"):
                    second.attach()  # of which the owner is not even asked
                with pytest.raises(Refused, match="attach-refused"):
                    second.attach(initialize=False, force=True)
            program.wait_line("^True$")
            assert first.threads()
            first.disconnect()


def test_a_yes_throws_out_nobody_who_came_meanwhile() -> None:
    body = """print(client.peer, client.takes_over, flush=True)
    if client.name == "mallory" and not client.takes_over:
        while not answers:
            time.sleep(0.01)
    return not client.takes_over"""
    with start(body, after="sys.stdin.readline(); answers[0] = True") as program:
        with (
            DapClient.connect(program.address, login=False) as second,
            DapClient.connect(program.address, SECRET) as first,
        ):
            second.login(SECRET)
            second.hello(client={"name": "mallory", "version": "1"})
            second.initialize()
            number = second.begin("attach", {"force": True})  # of nobody, as the owner is told
            program.wait_line("False$")
            first.attach()
            program.stdin_line("")
            with pytest.raises(Refused, match="attach-refused"):
                second.finish(number)
            assert first.threads()
            first.disconnect()


def test_each_attach_is_asked_anew() -> None:
    body = """answers[len(answers)] = client
    print("asked", len(answers), flush=True)
    while len(answers) == 1 or (client is answers[0] and not remora.is_attached()):
        time.sleep(0.01)"""
    with start(body) as program, DapClient.connect(program.address, SECRET) as slow:
        slow.initialize()
        attaching = slow.begin("attach")
        program.wait_line("^asked 1$")
        with DapClient.connect(program.address, SECRET) as quick:
            quick.attach()
            with pytest.raises(Refused, match="already-attached"):
                slow.finish(attaching)  # the answer came too late to be of use, and is of none later
            quick.disconnect()
        slow.request("attach")  # just what the owner has said yes to
        program.wait_line("^asked 3$")


def test_who_comes_back_is_asked_about_again() -> None:
    with start("print(client.returns, flush=True); return not client.returns") as program:
        with DapClient.connect(program.address, SECRET) as lost:
            lost.initialize()
            token = lost.request("attach", hold=30)["remora"]["token"]
        program.wait_line("^False$")
        assert refusal(program, resume=token).code == "attach-refused"
        program.wait_line("^True$")


def test_an_editor_that_configures_before_it_attaches_is_asked_about() -> None:
    with start("return False", {"secret": None}) as program:
        with DapClient.connect(program.address, login=False) as client:
            client.initialize()
            client.expect_event("initialized")
            with pytest.raises(Refused, match="attach-refused"):
                client.request("threads")


def test_a_secret_among_the_arguments_of_attach_is_asked_about_once_it_is_proved() -> None:
    with start("print('asked', flush=True); return False") as program:
        with DapClient.connect(program.address, login=False) as client:
            client.initialize()
            with pytest.raises(Refused, match="auth-failed"):
                client.request("attach", secret="wrong")
        assert "asked" not in program.output
        code, deadline = "auth-throttled", time.monotonic() + 20
        while code == "auth-throttled":  # that is what a wrong secret costs
            assert time.monotonic() < deadline
            with DapClient.connect(program.address, login=False) as client:
                client.initialize()
                with pytest.raises(Refused) as caught:
                    client.request("attach", secret=SECRET)
                code = caught.value.code
        assert code == "attach-refused"
        assert program.wait_line("asked")


def test_the_door_of_the_same_user_is_no_way_around(remora: Remora) -> None:
    with start("print(client.is_same_user, client.peer, flush=True); return False") as program:
        assert program.address
        path = os.path.join(runtime_folder(), "remora", f"{program.pid}.sock")
        ran = remora.exec(f"unix://{path}", "threads")
        assert (ran.code, "its on_attach hook said no" in ran.errors) == (4, True), ran
        assert program.wait_line(r"^True pid \d+$")


def test_whom_the_program_calls_is_asked_about() -> None:
    with socket.create_server(("127.0.0.1", 0)) as waiting:
        waiting.settimeout(20)
        source = f"""\
import remora

@remora.on_attach
def hook(client):
    print("asked", client.peer, flush=True)
    return False

remora.connect({waiting.getsockname()!r}, {SECRET!r})
input()
"""
        assert NEWEST is not None
        with Program(NEWEST, source) as program:
            called, _ = waiting.accept()
            with DapClient(called) as client:
                client.login(SECRET)
                with pytest.raises(Refused, match="attach-refused"):
                    client.attach()
            program.wait_line(rf"^asked 127.0.0.1:{waiting.getsockname()[1]}$")


def test_what_is_sent_behind_an_attach_waits_for_the_answer() -> None:
    with start("print('asked', flush=True); time.sleep(0.5); return False") as program:
        with DapClient.connect(program.address, SECRET) as client:
            client.initialize()
            together: list[bytes] = []
            send = client.send_bytes
            client.send_bytes = together.append  # type: ignore[method-assign, assignment]
            attaching = client.begin("attach")
            later = [client.begin("threads"), client.begin("remora/processes")]
            send(b"".join(together))
            with pytest.raises(Refused, match="attach-refused"):
                client.finish(attaching)
            for each in later:
                with pytest.raises(ConnectionError):
                    client.finish(each)
        assert program.output.count("asked") == 1


def test_children_ask_for_themselves(remora: Remora) -> None:
    body = "import os; print('asked in', os.getpid(), client.peer, flush=True); return os.getpid() == parent"
    with start(body, {"secret": None}, after=FORK, warnings="default") as program:
        parent = program.pid
        row = _child_of(program)
        ran = remora.exec(f"{program.qualifier}#{row}", "threads")
        assert (ran.code, "its on_attach hook said no" in ran.errors) == (4, True), ran
        program.wait_line(rf"^asked in {row} 127.0.0.1:\d+$")
        assert remora.exec(f"{program.qualifier}#{parent}", "threads").code == 0
        os.kill(row, 9)


def _child_of(program: Program) -> int:
    with DapClient.connect(program.address) as client:

        def others() -> list[int]:
            rows = client.request("remora/processes")["processes"]
            return [row["pid"] for row in rows if row["pid"] != program.pid]

        return until(others, "the child in the list")[0]


def test_a_breakpoint_in_the_hook_stops_nothing() -> None:
    with start("answers['x'] = 1  # @inside", {"observer_secret": "look"}) as program:
        with DapClient.connect(program.address, SECRET) as client:
            client.attach({program.path: [program.line("inside")]})
            with DapClient.connect(program.address, login=False) as observer:
                observer.login("look", user="observer")
                observer.attach()
            assert [event for event in client.drain() if event["event"] == "stopped"] == []
            client.disconnect()


def test_nothing_is_left_of_a_call(interpreter: Interpreter) -> None:
    body = "logging.warning('%s', threading.active_count())"  # which asks what the thread's name is
    with start(body, interpreter=interpreter) as program:
        for _ in range(3):
            with DapClient.connect(program.address, SECRET) as client:
                client.attach()
                client.disconnect()
        with DapClient.connect(program.address, SECRET) as client:
            client.attach()
            client.pause(1)
            frame = client.top(client.wait_stopped()["threadId"])["id"]
            assert client.evaluate("threading.active_count()", frame)["result"] == "1"
            client.disconnect()


@pytest.fixture(scope="module")
def refusing() -> Iterator[Program]:
    with start("return False") as program:
        yield program


@pytest.mark.parametrize(
    "arguments",
    [("exec", "-c", "threads"), ("attach", "-c", "threads"), ("snapshot",)],
    ids=lambda one: one[0],
)
def test_the_command_says_so_and_ends_with_4(
    remora: Remora, refusing: Program, arguments: tuple[str, ...]
) -> None:
    word, *rest = arguments
    ran = remora(word, refusing.qualifier, *rest, env={"REMORA_SECRET": SECRET})
    assert ran.code == 4, ran
    assert "its on_attach hook said no" in ran.errors
    assert "Whoever runs the program has it decide so" in ran.errors


def test_editors_are_told_by_the_bridge(remora: Remora, refusing: Program) -> None:
    with Bridge(remora) as bridge:
        with pytest.raises(Refused, match="its on_attach hook said no"):
            bridge.editor.attach(qualifier=refusing.qualifier, secret=SECRET)


def test_lists_do_not_ask_and_doctor_says_so(remora: Remora, refusing: Program) -> None:
    env = {"REMORA_SECRET": SECRET}
    assert str(refusing.pid) in remora("ls", refusing.qualifier, env=env).output
    ran = remora("doctor", refusing.qualifier, env=env)
    assert ran.code == 0
    assert "who may attach is decided by the program each time (remora.on_attach)" in ran.output


def test_none_takes_the_hook_back_and_what_is_no_function_is_told() -> None:
    source = """\
#
import remora

for wrong in ("text", 7):
    try:
        remora.on_attach(wrong)
    except TypeError as error:
        print(error)

async def hook(client):
    pass

try:
    remora.on_attach(hook)
except TypeError as error:
    print(str(error).partition("<")[0])

def no(client):
    return False

assert remora.on_attach(no) is no
assert remora.on_attach(None) is None
print("ready", flush=True)
input()
"""
    assert NEWEST is not None
    with Program(NEWEST, source, enable={"secret": SECRET}) as program:
        program.wait_line("^ready$")
        assert "takes a function, or None for none, and not 'text'" in program.output
        assert "takes a plain function: nobody would await" in program.output
        with DapClient.connect(program.address, SECRET) as client:
            client.attach()
            client.disconnect()


def test_the_page_has_a_hook_that_works() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    source = page.partition("```python\n")[2].partition("```")[0]
    source = source.replace('"my_secret", ', '"my_secret", ("127.0.0.1", 0), ')
    assert NEWEST is not None
    text = source.replace("remora.enable", "print('REMORA_ADDRESS', *remora.enable").rstrip() + ")\ninput()\n"
    with Program(NEWEST, text) as program:
        with DapClient.connect(program.address, "my_secret") as client:
            client.attach()
            program.wait_line(r"^tests 0 from 127.0.0.1:\d+ wants to be driver$")
            client.disconnect()
