"""How fast the command line and its prompt start: the real command in a pseudo-terminal."""

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

SECRET = "a secret of the benchmark"
_PROGRAM = """
import sys, remora
print(remora.enable_attach(sys.argv[1], ("127.0.0.1", 0))[1], flush=True)
sys.stdin.read()
"""


def measure_client(options: argparse.Namespace) -> list[Row]:
    """Of the client in the environment that runs this: `remora --help`, and the prompt of `remora attach`."""
    remora = str(Path(sys.executable).parent / "remora")
    with tempfile.TemporaryDirectory() as folder:
        compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        compiled["PYTHONPYCACHEPREFIX"] = os.path.join(folder, "compiled")
        try:
            return [*_help(remora, compiled, options), *_prompts(remora, compiled, options, folder)]
        except (OSError, subprocess.SubprocessError) as error:
            return [
                _client_row("remora --help", None, 150.0, f"run it in the project's environment: {error}")
            ]


def _client_row(what: str, value: float | None, target: float | None, remark: str = "") -> Row:
    return Row(what, platform.python_version(), "ms", value, None, target, remark=remark)


def _help(remora: str, env: dict[str, str], options: argparse.Namespace) -> list[Row]:
    times = []
    for _ in range(options.turns + 1):
        begun = time.perf_counter()
        subprocess.run([remora, "--help"], capture_output=True, timeout=60, check=True, env=env)
        times.append((time.perf_counter() - begun) * MS)
    return [_client_row("remora --help", median(times[1:]), 150.0)]  # the first one compiled


def _prompts(remora: str, env: dict[str, str], options: argparse.Namespace, folder: str) -> list[Row]:
    """The prompt at an endpoint that was met before, and at one that is new."""
    command = [sys.executable, "-W", "ignore", "-c", _PROGRAM, SECRET]
    debuggee = environment(REMORA) | {"XDG_RUNTIME_DIR": folder}
    met, new = [], []
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=debuggee) as program:
        try:
            assert program.stdout
            attach = [remora, "attach", f"tcp://127.0.0.1:{int(program.stdout.readline())}"]
            env = env | {"REMORA_SECRET": SECRET, "TERM": "xterm-256color"}
            for turn in range(options.turns + 1):
                met.append(_time_to_prompt(attach, env | _folders(f"{folder}/met")))
                new.append(_time_to_prompt(attach, env | _folders(f"{folder}/{turn}")))
        finally:
            program.kill()
    rows = []
    for times, endpoint in ((met[1:], "endpoint met before"), (new[1:], "new endpoint")):
        what = f"remora attach, until the prompt, {endpoint}"
        rows.append(_client_row(what, median([wall for wall, _ in times]), 300.0))
        rows.append(_client_row(f"{what}: CPU time", median([used for _, used in times]), None))
    return rows


def _folders(beneath: str) -> dict[str, str]:
    """Folders of a person's own, which the client looks for as it does at home."""
    return {f"XDG_{kind}_HOME": f"{beneath}/{kind.lower()}" for kind in ("CONFIG", "CACHE", "STATE")}


def _time_to_prompt(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Milliseconds until the prompt is on the terminal, which answers what it is asked, as they all do.

    And milliseconds of a processor's time.
    """
    begun = time.perf_counter()
    with Terminal(command, env) as terminal:
        wall = (time.perf_counter() - begun) * MS if terminal.until("remora❯") else NEVER
    return wall, terminal.used * MS


if __name__ == "__main__":
    _options.run_alone(__doc__, lambda _python, options: measure_client(options))
