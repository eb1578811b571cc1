"""`python -m remora`: the program runs as if it had been started without it."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.dap import DapClient
from tests.support.interpreters import NEWEST, Interpreter
from tests.support.ports import free_port
from tests.support.program import PYTHONPATH, Program, clean_environment

PROBE = """\
import json, sys, warnings
shown = (str, type(None), dict)
names = {name: value if isinstance(value, shown) else type(value).__name__ for name, value in vars().items()}
names.pop("names", None)
spec = getattr(__spec__, "name", None)
main = sys.modules["__main__"].__dict__ is globals()
print(json.dumps([sys.argv, sys.path[0], __name__, names, spec, main], default=str, sort_keys=True))
warnings.warn("deprecated", DeprecationWarning)
def outer():
    inner()
def inner():
    if "exit" in sys.argv: sys.exit(3)
    if "text" in sys.argv: sys.exit("bye")
    if "raise" in sys.argv: raise ValueError("wrong") from KeyError("why")
    if "interrupt" in sys.argv: raise KeyboardInterrupt
    if "hook" in sys.argv:
        sys.excepthook = lambda kind, error, trace: print(kind.__name__, trace.tb_frame.f_code.co_name)
        raise ValueError
outer()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "script.py").write_text(PROBE)
    (folder / "broken.py").write_text("def f(:\n")
    for name in ("package", "folder"):
        (folder / name).mkdir()
        (folder / name / "__main__.py").write_text(PROBE)
    (folder / "package" / "__init__.py").write_text("")
    return folder


def run(interpreter: Interpreter, folder: Path, words: list[str], **more: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [interpreter.path, *words],
        cwd=folder, env=clean_environment({"PYTHONPATH": PYTHONPATH, **more}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    # PyPy puts no quotes around a file that it cannot open.
    return done.returncode, done.stdout, done.stderr.replace("'", "")


@pytest.mark.parametrize(
    "command",
    ["script.py a -m b", "script.py exit", "script.py text", "script.py raise", "script.py interrupt",
     "script.py hook", "broken.py", "missing.py", "-m package raise", "-m package", "-m missing",
     "folder raise"],
)  # fmt: skip
def test_the_program_sees_no_difference(interpreter: Interpreter, folder: Path, command: str) -> None:
    words = command.split()
    (folder / "secret").write_text("what nobody knows\n")
    # Not 0: for that the command says where it listens.
    options = ["--listen", f"127.0.0.1:{free_port()}", "--secret-file", "secret"]
    alone = run(interpreter, folder, words)
    debugged = run(interpreter, folder, ["-m", "remora", *options, *words])
    assert debugged == alone


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which program"),
        (["script.py"], "--no-secret"),
        (["--no-secret"], "which program"),
        (["--no-secret", "--listen", "nowhere", "script.py"], "127.0.0.1:5678"),
        (["--fly", "script.py"], "no option --fly"),
        (["--secret-file", "missing", "script.py"], "missing"),
        (["--secret-env", "MISSING", "script.py"], "MISSING"),
        (["--listen"], "needs a value"),
        (["--no-secret", "--listen", "127.0.0.1:\u00b2", "script.py"], "an address looks like"),
        (["--no-secret", "--keyfile", "script.py", "script.py"], "need certfile"),
    ],
)
def test_wrong_usage_says_what_is_wrong(folder: Path, words: list[str], said: str) -> None:
    assert NEWEST is not None
    code, output, errors = run(NEWEST, folder, ["-m", "remora", *words])
    assert (code, output) == (2, "")
    assert said in errors and "--help" in errors


@pytest.mark.parametrize("options", [["--certfile"], ["--certfile", "script.py", "--keyfile"]])
def test_a_file_of_tls_that_is_not_there_is_named(folder: Path, options: list[str]) -> None:
    assert NEWEST is not None
    words = ["-m", "remora", "--no-secret", *options, "missing.pem", "script.py"]
    code, output, errors = run(NEWEST, folder, words)
    assert (code, output) == (3, "")
    assert "missing.pem" in errors and "Traceback" not in errors


def test_a_secret_that_nobody_can_type_and_a_file_without_a_key_are_said(folder: Path) -> None:
    assert NEWEST is not None
    (folder / "secret").write_text("a\tb\n")
    code, _, errors = run(NEWEST, folder, ["-m", "remora", "--secret-file", "secret", "script.py"])
    assert code == 2
    assert "control character" in errors and "Traceback" not in errors
    words = ["-m", "remora", "--no-secret", "--certfile", "script.py", "script.py"]
    code, _, errors = run(NEWEST, folder, words)
    assert code == 3
    assert "script.py has no key in PEM" in errors and "Traceback" not in errors


def test_a_taken_port_is_said_and_the_program_not_run(folder: Path) -> None:
    assert NEWEST is not None
    with socket.create_server(("127.0.0.1", 0)) as taken:  # by no Remora: those share it
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, output, errors = run(
            NEWEST, folder, ["-m", "remora", "--no-secret", "--listen", address, "script.py"]
        )
    assert (code, output) == (3, "")
    assert address in errors


def test_waiting_holds_the_program_until_a_client_has_set_its_breakpoints(interpreter: Interpreter) -> None:
    source = """\
import os, sys
value = sys.argv  # @first
print("variable", os.environ.get("SECRET_OF_MINE"), flush=True)
sys.exit(4)
"""
    options = ["-m", "remora", "--listen", "127.0.0.1:0", "--secret-env=SECRET_OF_MINE", "--wait"]
    with Program(
        interpreter, source, ["x"], argv=[*options, "{script}"], env={"SECRET_OF_MINE": "hush"}
    ) as program:
        found = program.wait_line(r"^remora: tcp://127.0.0.1:(\d+) is process (\d+), waiting", errors=True)
        assert int(found[2]) == program.pid
        with DapClient.connect(("127.0.0.1", int(found[1])), "hush") as client:
            client.attach({program.path: [program.line("first")]})
            stop = client.wait_stopped()
            stack = client.stack(stop["threadId"])
            assert [(frame["name"], frame["line"]) for frame in stack] == [
                ("<module>", program.line("first"))
            ]
            client.continue_(stop["threadId"])
            client.expect_event("exited", exitCode=4)
            client.expect_event("terminated")
            client.wait_closed()
        assert program.returncode() == 4
        assert program.output == "variable None\n"


def test_what_it_prints_as_help_is_true() -> None:
    assert NEWEST is not None
    with Program(NEWEST, "#\n", argv=["-m", "remora", "--help"]) as program:
        assert program.returncode() == 0
        assert json.dumps(program.output).count("--") > 6
