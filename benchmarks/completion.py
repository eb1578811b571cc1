"""How long completion takes at the prompt: from the key Tab until the menu is on the terminal."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from subprocess import PIPE

from benchmarks import _options
from benchmarks._figures import MS, NEVER, Row, median
from benchmarks._target import REMORA, environment
from benchmarks._terminal import Terminal

_PROGRAM = """
import os, sys, types, remora
sys.path.append(sys.argv[1])
many = types.SimpleNamespace(**{f"{'abcdefghij'[n % 10]}_{n:05}": n for n in range(10_000)})
print(remora.enable_attach(None, ("127.0.0.1", 0))[1], flush=True)
remora.wait_for_attach()
remora.breakpoint()
sys.stdin.read()
"""
_QUIET = 0.2  # seconds after which a redraw is over
# What is typed before the Tab, a name that the menu shows, and how long it may take.
_CASES = (
    ("completion of 10,000 names, until the menu", "p many.", "a_00010", 50.0),
    ("completion of a module's names, until the menu", "p os.", "access", 50.0),
    ("completion of an import, 1,000 installed, until the menu", "import ins", "installed_0001", 50.0),
)


def measure_completion(options: argparse.Namespace) -> list[Row]:
    """Of the client in the environment that runs this."""
    remora = str(Path(sys.executable).parent / "remora")
    with tempfile.TemporaryDirectory() as folder:
        _install(Path(folder, "installed"))
        command = [sys.executable, "-W", "ignore", "-c", _PROGRAM, f"{folder}/installed"]
        env = environment(REMORA) | {"XDG_RUNTIME_DIR": folder}
        with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=env) as program:
            try:
                assert program.stdout
                attach = [remora, "attach", f"tcp://127.0.0.1:{int(program.stdout.readline())}"]
                env = dict(os.environ, TERM="xterm-256color", REMORA_CONFIG_DIR=f"{folder}/config")
                with Terminal(attach, env) as terminal:
                    return _rows(terminal, options.turns)
            finally:
                program.kill()


def _install(folder: Path) -> None:
    for number in range(1000):
        for name in (f"installed_{number:04}", f"installed_{number:04}-1.0.dist-info"):
            (folder / name).mkdir(parents=True)


def _rows(terminal: Terminal, turns: int) -> list[Row]:
    terminal.until("stopped")
    terminal.rest(_QUIET)
    rows = []
    for what, typed, shown, target in _CASES:
        times = [_time_to_menu(terminal, typed, shown) for _ in range(turns + 1)]
        rows.append(
            Row(what, platform.python_version(), "ms", median(times[1:]), None, target)
        )  # the first one is not used to it
    return rows


def _time_to_menu(terminal: Terminal, typed: str, shown: str) -> float:
    terminal.send(typed)
    terminal.rest(_QUIET)
    begun = time.perf_counter()
    terminal.send("\t")
    wall = (time.perf_counter() - begun) * MS if terminal.until(shown) else NEVER
    terminal.rest(_QUIET)
    terminal.send("\x03")
    terminal.rest(_QUIET)
    return wall


if __name__ == "__main__":
    _options.run_alone(__doc__, lambda _python, options: measure_completion(options))
