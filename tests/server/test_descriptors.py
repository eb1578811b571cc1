"""A program that closes every descriptor there is, as daemons do: ours are opened anew, its own stay."""

from __future__ import annotations

import os
import socket
import sys
import time
from io import FileIO
from pathlib import Path

import pytest

from remora._interpreter import _originals
from tests.support.dap import DapClient
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.ports import free_port
from tests.support.program import Program, runtime_folder
from tests.support.waiting import until

CLOSING = """\
#
import os, socket, time
def work(n):
    return n + 1  # @work
n = 0
input()
os.closerange(3, 1024)
files = [open(f"{__file__}.{i}", "w+b", buffering=0) for i in range(30)]
pairs = [socket.socketpair() for _ in range(10)]
if not TAKES_THEM:
    for each in files: each.close()
    for pair in pairs:
        for each in pair: each.close()
print("closed", flush=True)
deadline = time.monotonic() + 60
while not os.path.exists(f"{__file__}.end") and time.monotonic() < deadline:
    n = work(n)
    time.sleep(0.01)
if TAKES_THEM:
    print("read", sum(len(each.read()) for each in files), flush=True)
    print("open", sum(each.fileno() >= 0 and bool(os.fstat(each.fileno())) for each in files), flush=True)
    for pair in pairs:
        pair[0].setblocking(False)
        pair[1].sendall(b"x")
        assert pair[0].recv(10) == b"x"
"""


def connect(address: tuple[str, int]) -> DapClient:
    """As soon as it listens again."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return DapClient.connect(address)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def pids_behind(address: tuple[str, int]) -> set[int]:
    with connect(address) as client:
        return {row["pid"] for row in client.request("remora/processes")["processes"]}


def end(program: Program) -> None:
    open(f"{program.path}.end", "w").close()
    assert program.returncode() == 0, program.errors


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a look whose it is lets other threads run")
def test_what_another_thread_opens_by_our_number_is_not_closed_with_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = _originals.Socket(socket.AF_UNIX, socket.SOCK_STREAM)
    number = ours.fileno()
    opened: list[FileIO] = []

    def look(descriptor: int) -> os.stat_result:  # while it looks, another thread may run, as here
        found = os.fstat(descriptor)
        if not opened:
            os.close(number)
            opened.append(FileIO(tmp_path / "theirs", "w"))
        return found

    monkeypatch.setattr(_originals, "_fstat", look)
    ours.close()
    if not opened:
        opened.append(FileIO(tmp_path / "theirs", "w"))  # ours is closed, and its number is free
    assert opened[0].fileno() == number
    opened[0].write(b"still there")
    opened[0].close()
    assert ours.fileno() == -1
    other, another = _originals.Socket(socket.AF_UNIX, socket.SOCK_STREAM), os.pipe()
    os.dup2(another[0], other.fileno())  # in place of ours
    number = other.fileno()
    other.close()
    for each in (number, *another):
        os.close(each)


def test_it_listens_again_and_touches_nothing_of_the_programs(interpreter: Interpreter) -> None:
    check(interpreter, takes_them=True, while_attached=True)


@pytest.mark.parametrize(("takes_them", "while_attached"), [(True, False), (False, True), (False, False)])
def test_also_when_nobody_is_attached_or_the_numbers_stay_free(
    takes_them: bool, while_attached: bool
) -> None:
    check(NEWEST, takes_them=takes_them, while_attached=while_attached)


def check(interpreter: Interpreter, *, takes_them: bool, while_attached: bool) -> None:
    source = CLOSING.replace("TAKES_THEM", str(takes_them))
    with Program(interpreter, source, enable={"address": ("127.0.0.1", free_port())}) as program:
        if while_attached:
            with DapClient.connect(program.address).attach({program.path: [program.line("work")]}) as client:
                program.stdin_line("")
                client.wait_closed()
        else:
            _ = program.address
            program.stdin_line("")
        program.wait_line("closed")
        with connect(program.address).attach({program.path: [program.line("work")]}) as client:
            stop = client.wait_stopped()
            assert client.top(stop["threadId"])["line"] == program.line("work")
            client.disconnect()
        assert f"{program.pid}.sock" in os.listdir(f"{runtime_folder()}/remora")
        end(program)
        if takes_them:
            assert "read 0\nopen 30" in program.output


def test_behind_a_shared_port_they_find_each_other_again() -> None:
    source = CLOSING.replace("TAKES_THEM", "True")
    address = ("127.0.0.1", free_port())
    with (
        Program(NEWEST, source, enable={"address": address}) as owner,
        Program(NEWEST, source, enable={"address": address}) as member,
    ):
        programs = [owner, member]
        for program in programs:
            _ = program.address
        for closing in programs:
            closing.stdin_line("")
            closing.wait_line("closed")
            until(lambda: pids_behind(address) == {each.pid for each in programs}, "both to be there")
        for program in programs:
            end(program)
