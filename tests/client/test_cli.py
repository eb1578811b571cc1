"""The command: exit codes, what it prints where, what it costs to start, where it cannot run."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from remora_client import cli
from remora_client._subcommands import _process_table
from tests.client.servers import SECRET, Files, Remora, Server, process
from tests.support.command import Remora as Command
from tests.support.interpreters import INTERPRETERS, ROOT, Interpreter


@pytest.fixture
def remora(tmp_path: Path) -> Command:
    return Command(tmp_path / "configuration", tmp_path)


# -- exit codes, each provoked


def test_exit_codes(remora: Command, certificate: Files) -> None:
    with Server(Remora()) as good:
        assert remora("ls", f"tcp://{SECRET}@{good.place}").code == 0
        assert remora("ls", f"tcp://wrong@{good.place}").code == 4
        assert remora("ls", good.place).code == 4
    assert remora("ls", "tcp://").code == 2
    assert remora("nonsense").code == 2
    assert remora().code == 2
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert remora("ls", f"127.0.0.1:{bound.getsockname()[1]}").code == 3
    with Server(Remora(certificate=certificate.der), certificate.context()) as secured:
        assert remora("ls", f"tcps://{SECRET}@{secured.place}").code == 5
    with Server(lambda sock: sock.sendall(b"SSH-2.0-x\r\n")) as other:
        assert remora("ls", other.place).code == 6


def test_an_error_is_words_on_stderr_only(remora: Command) -> None:
    ran = remora("ls", "nosuch.invalid")
    assert ran.output == ""
    assert ran.errors.startswith("remora: There is no host named 'nosuch.invalid'")
    assert "Traceback" not in ran.errors


def test_a_place_is_no_command(remora: Command) -> None:
    for place in ("tcp://hunter2@host", "4711"):
        ran = remora(place)
        assert ran.code == 2
        assert "remora attach PLACE" in ran.errors
        assert place not in ran.errors


def test_the_secret_is_nowhere(remora: Command) -> None:
    with Server(Remora()) as listener:
        for arguments in (
            ("ls", "-vv", f"tcp://hunter2@{listener.place}"),
            ("ls", f"tcp://hunter2@{listener.place}:bad"),
        ):
            ran = remora(*arguments)
            assert ran.code != 0
            assert "hunter2" not in ran.output + ran.errors


def test_verbose_shows_the_wire(remora: Command) -> None:
    with Server(Remora()) as listener:
        ran = remora("ls", "-vv", f"tcp://{SECRET}@{listener.place}")
    assert ran.code == 0
    assert "-> 1 remora/hello {" in ran.errors
    assert "<- 2 remora/authenticate\n" in ran.errors  # its data is a proof: named, not shown
    assert SECRET not in ran.errors


# -- ls


def test_ls_prints_a_table_and_json(remora: Command) -> None:
    rows = [process(30, name="b\x1b[31m.py"), process(4, state="stopped", attachedBy="ada@host since 10:32")]
    with Server(Remora(secret=None, processes=rows)) as listener:
        ran = remora("ls", listener.place)
        assert ran.errors == ""
        head, first, second = ran.output.splitlines()
        assert head.split() == ["PID", "NAME", "PYTHON", "USER", "STATE"]
        assert first.split(maxsplit=4) == [
            "4",
            "guess.py",
            "3.12.1",
            "ada",
            "stopped, attached by ada@host since 10:32",
        ]
        assert second.split() == ["30", r"b\x1b[31m.py", "3.12.1", "ada", "running"]
        listed = json.loads(remora("ls", "--json", listener.place).output)
        assert [each["pid"] for each in listed] == [4, 30]
        (one,) = json.loads(remora("ls", "--json", f"{listener.place}#30").output)
        assert one["name"] == "b\x1b[31m.py"


def test_ls_asks_all_at_once_and_shows_failures_beside_answers(remora: Command) -> None:
    def wait(sock: socket.socket) -> None:
        while sock.recv(1000):
            pass

    with Server(Remora(secret=None)) as good, Server(wait) as mute, Server(wait) as other:
        started = time.monotonic()
        ran = remora("ls", mute.place, good.place, other.place, "nosuch.invalid", "--timeout", "1")
        took = time.monotonic() - started
    assert took < 2.5
    assert ran.code == 3
    assert "guess.py" in ran.output
    lines = {line.split()[0]: line for line in ran.output.splitlines()}
    assert next(iter(lines)) == "PLACE"
    assert "said nothing within 1 s" in lines[f"tcp://{mute.place}"]
    assert "said nothing within 1 s" in lines[f"tcp://{other.place}"]
    assert "guess.py" in lines[f"tcp://{good.place}"]
    assert "no host named 'nosuch.invalid'" in lines["tcp://nosuch.invalid:5678"]
    # Each kind of failure once, with what to do about it.
    assert ran.errors.count("remora: ") == 2
    assert "2 of 4 failed alike" in ran.errors


def test_ls_reads_a_list_of_hosts(remora: Command, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.txt"
    with Server(Remora()) as one, Server(Remora(processes=[process(30), process(31)])) as two:
        hosts.write_text(
            f"# both\n\n{SECRET}@{one.place}\n  tcp://{SECRET}@{two.place}#31\n{SECRET}@{one.place}\n"
        )
        ran = remora("ls", f"@{hosts}")
        assert (ran.code, ran.errors) == (0, "")
        assert sorted(line.split()[:2] for line in ran.output.splitlines()) == sorted(
            [["PLACE", "PID"], [f"tcp://{one.place}", "4711"], [f"tcp://{two.place}", "31"]]
        )
        listed = json.loads(remora("ls", "--json", f"@{hosts}").output)
        assert [each["pid"] for each in listed] == [4711, 31]
        assert one.connections == 2  # named twice, and asked once


def test_a_list_of_hosts_that_cannot_be_used(remora: Command, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.txt"
    assert remora("ls", f"@{hosts}").code == 2
    hosts.write_text("# nobody\n")
    assert "empty" in remora("ls", f"@{hosts}").errors
    hosts.write_text("127.0.0.1\nhunter2@127.0.0.1:port\n")
    ran = remora("ls", f"@{hosts}")
    assert ran.code == 2
    assert f"line 2 of {hosts}" in ran.errors
    assert "hunter2" not in ran.errors
    hosts.write_bytes(b"\xff\xfehunter2\n")
    ran = remora("ls", f"@{hosts}")
    assert ran.code == 2
    assert "hunter2" not in ran.errors


def test_ls_shows_its_progress_on_a_terminal(remora: Command) -> None:
    def wait(sock: socket.socket) -> None:
        while sock.recv(1000):
            pass

    with Server(Remora(secret=None)) as good, Server(wait) as mute:
        with remora.terminal("ls", good.place, mute.place, "--timeout", "2") as terminal:
            terminal.wait("guess.py")  # long before the other one is given up
            terminal.wait("1 of 2 asked")
            terminal.wait("said nothing")
            assert terminal.returncode() == 3
        assert "2 of 2 asked" not in terminal.text


def test_a_hundred_silent_hosts_cost_the_time_of_one(remora: Command, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.txt"
    with Server(Remora(secret=None)) as good, socket.create_server(("", 0), backlog=200) as mute:
        port = mute.getsockname()[1]
        hosts.write_text("\n".join([*(f"127.0.1.{i}:{port}" for i in range(1, 101)), good.place]))
        started = time.monotonic()
        ran = remora("ls", f"@{hosts}", "--timeout", "1")
        assert time.monotonic() - started < 5
    assert ran.output.count("said nothing within 1 s") == 100
    assert "guess.py" in ran.output
    assert "100 of 101 failed alike" in ran.errors


def test_ls_watch_shows_what_changes(remora: Command) -> None:
    rows = [process(1)]
    with (
        Server(Remora(secret=None, processes=rows)) as listener,
        remora.terminal("ls", "--watch", listener.place) as terminal,
    ):
        terminal.wait("guess.py")
        rows[0] = process(1, name="later.py")
        terminal.wait("later.py")
        terminal.child.sendintr()
        assert terminal.returncode() == 130


def test_a_table_fits_the_terminal() -> None:
    rows = [process(123, name="n" * 60, user="u" * 20, attachedBy="somebody@somewhere since 10:32")]
    for width in (20, 40, 60, 80, 200):
        lines = _process_table.table(rows, width)
        assert all(len(line) <= width for line in lines)
        assert "123" in lines[1]
    assert "n" * 60 in _process_table.table(rows, 0)[1]
    assert _process_table.table([], 80) == []


def test_local_processes_are_found_through_their_sockets(tmp_path: Path, remora: Command) -> None:
    runtime = Path(os.path.realpath("/tmp")) / f"rmr-{os.getpid()}"
    folder = runtime / "remora"
    folder.mkdir(mode=0o700, parents=True)
    runtime.chmod(0o700)
    pid = os.getpid()
    mute = socket.socket(socket.AF_UNIX)  # as of a process that is stopped by a signal
    mute.bind(str(folder / "1.sock"))
    mute.listen()
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(folder / f"{pid}.sock"))
    door.listen()
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(folder / "999999.sock"))
    dead.close()

    def accept() -> None:
        while True:
            try:
                connection, _ = door.accept()
            except OSError:
                return
            with connection:
                Remora(secret=None, processes=[process(pid), process(1)])(connection)

    threading.Thread(target=accept, daemon=True).start()
    try:
        environment = {"XDG_RUNTIME_DIR": str(runtime)}
        ran = remora("ls", "--json", "--timeout", "1", env=environment)
        assert "process 1 is there, and gives no answer" in ran.errors
        listed = json.loads(ran.output)
        assert pid in [each["pid"] for each in listed]
        assert 1 not in [each["pid"] for each in listed]  # each is asked for itself only
        assert not (folder / "999999.sock").exists()
        folder.chmod(0o755)  # others could put their sockets there: it is not looked at
        assert pid not in [each["pid"] for each in json.loads(remora("ls", "--json", env=environment).output)]
    finally:
        mute.close()
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        runtime.rmdir()


# -- trust and cert


def test_trust_add_ls_rm(remora: Command) -> None:
    assert "No certificate" in remora("trust", "ls").output
    assert remora("trust", "add", "host", "ab" * 32).code == 0
    assert remora("trust", "add", "tcps://[::1]:99", "--fingerprint", "cd" * 32).code == 0
    listed = json.loads(remora("trust", "ls", "--json").output)
    assert [each["place"] for each in listed] == ["[::1]:99", "host:5678"]
    assert "AB:AB" in remora("trust").output
    assert remora("trust", "rm", "host").code == 0
    assert remora("trust", "rm", "host").code == 1
    assert remora("trust", "add", "host", "xyz").code == 2
    assert remora("trust", "add", "host").code == 2  # nobody to ask


def test_a_person_trusts_what_is_there(remora: Command, certificate: Files) -> None:
    with Server(Remora(certificate=certificate.der), certificate.context()) as listener:
        with remora.terminal("trust", "add", listener.place) as terminal:
            terminal.wait("lways")
            assert certificate.fingerprint in terminal.text
            terminal.enter("always")
            assert terminal.returncode() == 0
        assert remora("ls", f"tcps://{SECRET}@{listener.place}").code == 0


def test_a_person_types_the_secret(remora: Command) -> None:
    with Server(Remora()) as listener, remora.terminal("ls", listener.place) as terminal:
        terminal.wait("Secret for tcp://")
        terminal.enter(SECRET)
        terminal.wait("guess.py")
        assert terminal.returncode() == 0
        assert SECRET not in terminal.text


def test_ctrl_c_at_a_question(remora: Command) -> None:
    with Server(Remora()) as listener, remora.terminal("ls", listener.place) as terminal:
        terminal.wait("Secret for")
        terminal.child.sendintr()
        assert terminal.returncode() == 130


def test_cert_new(remora: Command, tmp_path: Path) -> None:
    out = tmp_path / "new"
    ran = remora("cert", "new", "--host", "127.0.0.1", "--host", "localhost", "--out", out)
    assert ran.code == 0
    assert (out / "127.0.0.1.key").stat().st_mode & 0o777 == 0o600
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(out / "127.0.0.1.crt", out / "127.0.0.1.key")
    der = ssl.PEM_cert_to_DER_cert((out / "127.0.0.1.crt").read_text())
    with Server(Remora(certificate=der), context) as listener:
        ran = remora("ls", "--cafile", out / "127.0.0.1.crt", f"tcps://{SECRET}@{listener.place}")
        assert (ran.code, ran.errors) == (0, "")
    assert remora("cert", "new", "--host", "127.0.0.1", "--out", out).code == 2  # nothing is overwritten
    assert remora("cert", "new", "--host", "127.0.0.1", "--out", out, "--replace").code == 0
    assert remora("cert", "new", "--host", "", "--out", out).code == 2


def test_cert_new_shows_where_to_attach_to(remora: Command, tmp_path: Path) -> None:
    ran = remora(
        "cert", "new", "--host", "::1", "--out", tmp_path / "日本", env={"PYTHONIOENCODING": "ascii"}
    )
    assert (ran.code, ran.errors) == (0, "")
    assert ran.output.count("tcps://[::1]\n") == 2
    assert "\\u65e5\\u672c" in ran.output


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no folder that nobody can write to")
def test_a_pin_that_cannot_be_kept(remora: Command) -> None:
    ran = remora("trust", "add", "host", "ab" * 32, env={"REMORA_CONFIG_DIR": "/proc/nowhere"})
    assert ran.code == 2
    assert "/proc/nowhere/trusted-certificates.json cannot be written" in ran.errors
    assert "--fingerprint" in ran.errors


# -- what else it meets


def test_what_a_stream_has_no_characters_for(remora: Command) -> None:
    ran = remora("trust", "rm", "caf\udce9", env={"PYTHONIOENCODING": "ascii"})
    assert (ran.code, ran.output, ran.errors) == (1, "Nothing was trusted for caf\\udce9:5678.\n", "")


def test_a_task_that_is_none(remora: Command) -> None:
    for task in ("x", "0", "99"):
        ran = remora("tutorial", "--task", task)
        assert ran.code == 2
        assert "--task: a number from 1 to " in ran.errors


def test_links_that_lead_nowhere_among_ones_own_commands(remora: Command) -> None:
    folder = remora.configuration / "commands"
    folder.mkdir(parents=True)
    (folder / "gone.py").symlink_to(folder / "nowhere.py")
    (folder / ".#mine.py").symlink_to("somebody@host.1:2")  # as Emacs locks what it edits
    ran = remora("exec", "tcp://127.0.0.1:1", "-c", "where")
    assert ran.code == 3
    assert "gone.py is left out: No such file" in ran.errors
    assert "mine.py" not in ran.errors


def test_commands_through_a_socket(remora: Command) -> None:
    """Node's children have sockets for standard streams, and those have no /dev/stdin."""
    code = (
        "from remora_client.commands import given_commands; "
        "print([each.text for each in given_commands('-', ['up'])])"
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall("\ufeffwhere\n# a remark\nprint 'é'\n".encode())
        ours.shutdown(socket.SHUT_WR)
        ran = subprocess.run(
            [sys.executable, "-c", code], stdin=theirs.fileno(), capture_output=True, text=True, check=False
        )
    assert (ran.stdout, ran.stderr) == ("""['where', "print 'é'", 'up']\n""", "")


# -- what it costs, and where it cannot run


def test_help_is_quick(remora: Command) -> None:
    """Processor time, the best of some: other work on the machine must not fail this."""
    took = []
    for _ in range(8):
        before = os.times()
        assert remora("--help").code == 0
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        took.append(spent)
    assert min(took) < 0.15


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['remora', '--help']; from remora_client.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted({'asyncio', 'ssl', 'prompt_toolkit', 'pygments', 'cryptography'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.splitlines()[-1] == ""


OLD = [each for each in INTERPRETERS if each.version < (3, 11)]


@pytest.mark.parametrize("interpreter", OLD, ids=str)
def test_old_pythons_get_one_line(interpreter: Interpreter) -> None:
    run = _bare(interpreter.path)
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert "3.11" in line


def test_a_plain_install_gets_one_line() -> None:
    new = [each for each in INTERPRETERS if each.version >= (3, 11)]
    run = _bare(new[0].path)
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert 'pip install "remora[client]"' in line
    assert "prompt_toolkit" in line


def _bare(python: str) -> subprocess.CompletedProcess[str]:
    """Without site-packages."""
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "protocol")])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [python, "-S", "-m", "remora_client", "ls"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_every_subcommand_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("ls", "attach", "exec", "dap", "trust", "cert", "doctor", "demo"):
        with pytest.raises(SystemExit) as done:
            cli.main([command, "--help"])
        assert done.value.code == 0
        assert "usage: remora " + command in capsys.readouterr().out


def test_version_is_one(remora: Command) -> None:
    from remora_protocol import __version__

    assert remora("--version").output == f"remora {__version__}\n"
