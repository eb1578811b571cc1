"""`remora ls @hosts.txt` of a thousand endpoints: how long it takes, and how much memory.

Real debuggees listen on all of 127.0.0.0/8, so that each answers under several addresses, each time with the
whole login: the client's memory of what it derived for a salt is off, since a thousand hosts have a thousand
salts. Fifty endpoints are dead (nothing listens), and fifty take the connection and never say a word.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks._figures import MB, NEVER, Row, show_rows
from benchmarks._target import REMORA, environment

ENDPOINTS, DEAD, SILENT = 1000, 50, 50
# A debuggee has a lobby for 16 who have not logged in: each plays as many hosts as fit.
HOSTS_EACH = 15
SECRET = "a secret of the benchmark"
TIMEOUT = 2.0
_PROGRAM = """
import sys, remora
print(remora.enable_attach(sys.argv[1], ("0.0.0.0", 0))[1], flush=True)
sys.stdin.read()
"""
_CLIENT = """
import sys
from remora_protocol import _scram
_scram.salted_secret = _scram.salted_secret.__wrapped__
from remora_client.cli import main
sys.exit(main())
"""


@contextlib.contextmanager
def debuggees(count: int) -> Iterator[list[int]]:
    """The ports of so many programs."""
    with contextlib.ExitStack() as stack:
        programs = []
        runtime = stack.enter_context(tempfile.TemporaryDirectory(prefix="rmr-"))
        for _ in range(count):
            command = [sys.executable, "-W", "ignore", "-c", _PROGRAM, SECRET]
            program = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(REMORA) | {"XDG_RUNTIME_DIR": runtime},
            )
            programs.append(stack.enter_context(program))
            stack.callback(program.kill)
        yield [int(program.stdout.readline()) for program in programs if program.stdout]


@contextlib.contextmanager
def endpoints() -> Iterator[list[str]]:
    """Qualifiers, mixed."""
    alive = ENDPOINTS - DEAD - SILENT
    hosts = (f"127.{50 + i // 60000}.{i // 250 % 240}.{i % 250 + 1}" for i in range(ENDPOINTS))
    with debuggees(alive // HOSTS_EACH) as ports, contextlib.ExitStack() as stack:
        found = [f"{next(hosts)}:{port}" for port in ports for _ in range(HOSTS_EACH)]
        dead = stack.enter_context(socket.socket())
        dead.bind(("", 0))  # and not listening: refused
        found += [f"{next(hosts)}:{dead.getsockname()[1]}" for _ in range(DEAD)]
        silent = stack.enter_context(socket.create_server(("", 0), backlog=4 * SILENT))
        found += [f"{next(hosts)}:{silent.getsockname()[1]}" for _ in range(SILENT)]
        random.Random(1).shuffle(found)
        yield found


def measure(options: argparse.Namespace) -> list[Row]:
    """Seconds and megabytes of the real command, of the last of some runs (the first writes .pyc files)."""
    with tempfile.TemporaryDirectory() as folder, endpoints() as found:
        hosts, secret = Path(folder, "hosts.txt"), Path(folder, "secret")
        hosts.write_text("\n".join(found))
        secret.write_text(SECRET)
        ls = [sys.executable, "-c", _CLIENT, "ls", "--secret-file", str(secret)]
        # A debuggee imports what a login needs at its first, which a thousand hosts do at the same time.
        first = {place.rpartition(":")[2]: place for place in found}.values()
        subprocess.run([*ls, *first, "--timeout", "20"], capture_output=True, check=False)
        command = [*ls, f"@{hosts}", "--timeout", f"{TIMEOUT:g}"]
        times, peaks, listed = [], [], 0
        for turn in range(options.runs):
            begun = time.perf_counter()
            configuration = {"REMORA_CONFIG_DIR": str(Path(folder, str(turn)))}  # nobody was met before
            with open(os.path.join(folder, "output"), "w+b") as output:
                ran = subprocess.Popen(
                    command, env=os.environ | configuration, stdout=output, stderr=subprocess.STDOUT
                )
                _, status, usage = os.wait4(ran.pid, 0)
                ran.returncode = os.waitstatus_to_exitcode(status)
                times.append(time.perf_counter() - begun)
                peaks.append(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) * MB)
                output.seek(0)
                listed = output.read().count(b"  running")
            print(
                f"{times[-1]:.2f} s, {usage.ru_utime + usage.ru_stime:.2f} s of a processor, "
                f"{peaks[-1]:.0f} MB, {listed} listed",
                file=sys.stderr,
            )
    wanted = ENDPOINTS - DEAD - SILENT
    remark = "" if listed == wanted else f"only {listed} of {wanted} were listed"
    python = ".".join(map(str, sys.version_info[:3]))
    what = f"remora ls of {ENDPOINTS:,} endpoints, {DEAD} dead, {SILENT} silent"
    return [
        Row(what, python, "s", min(times) if not remark else NEVER, None, 3.0, remark=remark),
        Row(f"{what}: client's memory", python, "MB", max(peaks), None, 150.0),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often (default 3)")
    rows = measure(parser.parse_args())
    print(show_rows(rows))
    sys.exit(any(row.verdict == "MISS" for row in rows))
