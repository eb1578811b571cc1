"""How long `remora ls` takes for 200 processes behind one port: the whole command, and the request alone."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import _options
from benchmarks._dap import DapClient
from benchmarks._figures import MS, Row, median
from benchmarks._pythons import Python
from benchmarks._target import ROOT

CROWD = 200
PATIENCE = 60.0
PROGRAM = f"""\
import os, sys, remora
print(remora.enable_attach(None, ("127.0.0.1", 0))[1], flush=True)
for _ in range({CROWD - 1}):
    if not os.fork():
        break
sys.stdin.read()
os._exit(0)
"""


def measure(python: Python, options: argparse.Namespace) -> list[Row]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "protocol", ROOT / "server"))),
    }
    command = [python.path, "-W", "ignore", "-c", PROGRAM]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as program:
        assert program.stdin
        assert program.stdout
        port = int(program.stdout.readline())
        _wait_for_all(port)
        asked = [_ask(port) for _ in range(max(5, options.turns))]
        listed = [_list(port) for _ in range(max(3, options.rounds))]
        program.stdin.close()
    return [
        Row(f"remora ls of {CROWD} processes", python.version, "ms", median(listed), None, 500.0),
        Row(f"the list of {CROWD} processes alone", python.version, "ms", median(asked), None),
    ]


def _wait_for_all(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with DapClient(("127.0.0.1", port)) as client:
            count = len(client.request("remora/processes")["processes"])
        if count == CROWD:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"only {count} of {CROWD} processes came within {PATIENCE:.0f} s")
        time.sleep(0.1)


def _ask(port: int) -> float:
    begun = time.perf_counter()
    with DapClient(("127.0.0.1", port)) as client:
        client.request("remora/processes")
    return (time.perf_counter() - begun) * MS


def _list(port: int) -> float:
    command = [Path(sys.executable).parent / "remora", "ls", "--json", f"tcp://127.0.0.1:{port}"]
    begun = time.perf_counter()
    ran = subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE)
    elapsed = (time.perf_counter() - begun) * MS
    assert len(json.loads(ran.stdout)) == CROWD
    return elapsed


if __name__ == "__main__":
    _options.run_alone(__doc__, measure)
