"""The connection is lost: what becomes of the program, and how the same client comes back to its stop."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Remora
from tests.support.dap import DapClient, Refused
from tests.support.interpreters import NEWEST
from tests.support.program import Program
from tests.support.proxy import Proxy
from tests.support.terminal import Terminal

SECRET = "my_secret"
COUNTING = """\
#
import time
count = 0
while True:
    count += 1
    print("at", count, flush=True)  # @here
    time.sleep(0.05)
"""


@pytest.fixture
def program() -> Iterator[Program]:
    assert NEWEST is not None
    with Program(NEWEST, COUNTING, enable={"secret": SECRET}) as started:
        started.wait_line("at 2")
        yield started


@pytest.fixture
def proxy(program: Program) -> Iterator[Proxy]:
    with Proxy(program.address) as opened:
        yield opened


def stands_still(program: Program) -> bool:
    """Whether it prints nothing more for a moment."""
    try:
        runs_on(program, 0.5)
    except AssertionError:
        return True
    return False


def runs_on(program: Program, timeout: float = 20) -> float:
    """Waits until it prints more than it has by now; the seconds that took."""
    begun = time.monotonic()
    at = int(re.findall(r"at (\d+)\n", program.output)[-1])  # whole lines only: one may be on its way
    program.wait_line(rf"^at {at + 2}$", timeout)
    return time.monotonic() - begun


def held(address: tuple[str, int], program: Program, seconds: float) -> tuple[DapClient, str]:
    """A client that asked to be waited for, at a stop; and its token."""
    client = DapClient.connect(address, SECRET)
    client.initialize()
    answer = client.request("attach", hold=seconds)
    client.set_breakpoints(program.path, [program.line("here")])
    client.request("configurationDone")
    client.wait_stopped()
    return client, answer["remora"]["token"]


@pytest.mark.parametrize("how", ["cut", "half_close"])
def test_a_connection_that_ends_lets_the_program_go_at_once(program: Program, proxy: Proxy, how: str) -> None:
    client = DapClient.connect(proxy.address, SECRET).attach({program.path: [program.line("here")]})
    client.wait_stopped()
    getattr(proxy, how)()
    assert runs_on(program) < 2
    client.close()


def test_a_network_that_falls_silent_is_noticed_within_fifteen_seconds(
    program: Program, proxy: Proxy
) -> None:
    client = DapClient.connect(proxy.address, SECRET).attach({program.path: [program.line("here")]})
    client.wait_stopped()
    client.request("remora/ping")
    proxy.stall()
    assert 5 < runs_on(program) < 16
    client.close()


def test_a_lost_client_comes_back_by_itself(program: Program, proxy: Proxy, remora: Remora) -> None:
    place = f"tcp://{SECRET}@127.0.0.1:{proxy.address[1]}"
    with remora.terminal("attach", "--hold", "30", place, "--source", str(program.directory)) as terminal:
        terminal.wait("remora❯")
        terminal.enter("display count * 1000")
        terminal.enter(f"break program.py:{program.line('here')}")
        terminal.wait(r"→ +\d+ ")
        terminal.wait(r"count \* 1000 = (\d+)")
        at = int(program.wait_line(r"at (\d+)\n(?!.*at)", 5)[1]) + 1
        proxy.cut()
        terminal.wait("Connected again; all is as it was")
        terminal.wait(rf"count \* 1000 = {at}000")  # the same stop, and its displays
        assert stands_still(program)
        terminal.enter("continue")
        terminal.wait(rf"count \* 1000 = {at + 1}000")  # its breakpoint, too
        terminal.enter("quit -c")
        assert terminal.returncode() == 0
    runs_on(program)


def test_a_slow_forwarder_that_is_cut_as_those_of_containers_are(program: Program, remora: Remora) -> None:
    with Proxy(program.address, delay=0.2) as proxy:
        place = f"tcp://{SECRET}@127.0.0.1:{proxy.address[1]}"
        begun = time.monotonic()
        ran = remora.exec(place, f"break program.py:{program.line('here')}", "continue", "print count > 0")
        assert ran.results()[-1]["value"] == "True"
        assert time.monotonic() - begun > 8 * 0.4  # hello, login, processes, open, initialize …
        runs_on(program)
        with remora.terminal("attach", "--hold", "30", place) as terminal:
            terminal.wait("remora❯")
            terminal.enter(f"break program.py:{program.line('here')}")
            terminal.wait(r"→ +\d+ ")
            for number, lose in enumerate((proxy.half_close, proxy.cut)):
                lose()
                terminal.wait("Connected again; all is as it was")
                terminal.enter(f"print count * 0 + {number} + 7000")
                terminal.wait(f"700{number}\n")
            terminal.enter("quit -c")
            assert terminal.returncode() == 0
    runs_on(program)


def test_a_client_finds_out_that_its_connection_is_dead(
    program: Program, proxy: Proxy, remora: Remora
) -> None:
    """The proxy takes what we send and passes nothing on; a new connection goes through."""
    place = f"tcp://{SECRET}@127.0.0.1:{proxy.address[1]}"
    with remora.terminal("attach", "--hold", "60", place, "--source", str(program.directory)) as terminal:
        terminal.wait("remora❯")
        terminal.enter(f"break program.py:{program.line('here')}")
        terminal.wait(r"→ +\d+ ")
        proxy.stall()
        terminal.wait("is dead: a new one is answered", timeout=18)
        terminal.wait("Connected again; all is as it was")
        terminal.enter("print 6 * 7")
        terminal.wait(r"^42", timeout=5)
        terminal.enter("quit -c")
        assert terminal.returncode() == 0


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be put to sleep here")
def test_a_client_whose_machine_sleeps_is_missed_and_comes_back(tmp_path: Path, remora: Remora) -> None:
    """A laptop's lid: the connection stays up, and nobody is behind it. One client asked to be waited for."""
    assert NEWEST is not None
    with (
        Program(NEWEST, COUNTING, enable={"secret": SECRET}) as held_one,
        Program(NEWEST, COUNTING, enable={"secret": SECRET}) as free_one,
        _at_a_stop(remora, held_one, "--hold", "60") as waits,
        _at_a_stop(remora, free_one) as does_not,
    ):
        for terminal in (waits, does_not):
            os.kill(terminal.pid, signal.SIGSTOP)
        assert runs_on(free_one) < 17
        time.sleep(4)  # 20 s of sleep in all
        assert stands_still(held_one)
        for terminal in (waits, does_not):
            os.kill(terminal.pid, signal.SIGCONT)
        waits.wait("Connected again; all is as it was")
        waits.enter("print 6 * 7")
        waits.wait(r"^42", timeout=10)
        does_not.wait("closed the connection|said nothing|went away|is dead|lost", timeout=20)


def _at_a_stop(remora: Remora, program: Program, *options: str) -> Terminal:
    program.wait_line("at 2")
    place = f"tcp://{SECRET}@127.0.0.1:{program.address[1]}"
    terminal = remora.terminal("attach", *options, place, "--source", str(program.directory))
    terminal.wait("remora❯")
    terminal.enter(f"break program.py:{program.line('here')}")
    terminal.wait(r"→ +\d+ ")
    return terminal


def test_the_program_is_held_for_so_long_and_no_longer(program: Program) -> None:
    client, _ = held(program.address, program, 2.0)
    client.close()
    assert stands_still(program)
    with DapClient.connect(program.address, SECRET) as other:
        (process,) = other.request("remora/processes")["processes"]
        assert process["attachedBy"].endswith(")")
        assert "(lost, awaited until " in process["attachedBy"]
        other.initialize()
        for arguments in ({}, {"resume": ""}, {"resume": "0" * 48}, {"resume": "é"}):
            with pytest.raises(Refused) as caught:
                other.request("attach", arguments)
            assert caught.value.code == "already-attached"
    assert runs_on(program) < 3
    with DapClient.connect(program.address, SECRET) as late:  # and its breakpoints are gone
        late.attach()
        runs_on(program)


def test_the_token_brings_back_the_stop_the_breakpoints_and_the_output(program: Program) -> None:
    client, token = held(program.address, program, 20.0)
    before = client.top(1)
    client.close()
    with DapClient.connect(program.address, SECRET) as again:
        again.initialize()
        answer = again.request("attach", hold=20.0, resume=token)
        assert answer["remora"]["resumed"] is True
        assert answer["remora"]["token"] != token  # good for once
        again.request("configurationDone")
        again.wait_stopped()
        assert again.top(1)["line"] == before["line"]
        again.continue_(1)
        again.wait_stopped()  # at the breakpoint that nobody set again
        again.disconnect()  # on purpose: nothing is held
    runs_on(program)


def test_a_client_that_is_back_before_its_loss_was_noticed_replaces_itself(program: Program) -> None:
    client, token = held(program.address, program, 20.0)
    with DapClient.connect(program.address, SECRET) as again:
        again.initialize()
        again.request("attach", hold=20.0, resume=token)
        again.request("configurationDone")
        again.wait_stopped()
        client.wait_closed()
        client.close()
        assert stands_still(program)
        again.disconnect()
    runs_on(program)


def test_somebody_else_may_take_over_from_one_who_is_lost(program: Program) -> None:
    client, token = held(program.address, program, 20.0)
    client.close()
    with DapClient.connect(program.address, SECRET) as other:
        other.attach(force=True)
        other.wait_stopped()
        with DapClient.connect(program.address, SECRET) as late:
            late.initialize()
            with pytest.raises(Refused, match="already-attached"):
                late.request("attach", resume=token)
        other.disconnect()
    runs_on(program)


def test_the_token_is_shown_to_nobody(program: Program, remora: Remora, tmp_path: Path) -> None:
    host, port = program.address
    ran = remora("exec", f"tcp://{SECRET}@{host}:{port}", "--hold", "5", "-vv", "-c", "threads")
    assert ran.code == 0, ran.errors
    assert '"token": "' in ran.errors
    assert not re.search(r'"token": "[0-9a-f]', ran.errors)
    assert SECRET not in ran.errors
