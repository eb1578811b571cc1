"""The command line that the benchmark programs share."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks._figures import Row, show_rows
from benchmarks._pythons import Python, default_pythons, find_python

Measure = Callable[[Python, argparse.Namespace], list[Row]]


def parser(text: str | None) -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(description=text)
    result.add_argument("--python", action="append", metavar="PATH", help="an interpreter (repeatable)")
    result.add_argument("--rounds", type=int, default=3, help="fresh processes of each kind (default 3)")
    result.add_argument("--turns", type=int, default=15, help="interleaved runs in each process (default 15)")
    result.add_argument("--no-debugpy", action="store_true", help="measure Remora alone")
    result.add_argument("--json", metavar="FILE", help="write every figure to this file as well")
    return result


def pythons(options: argparse.Namespace) -> list[Python]:
    found = [find_python(path) for path in options.python] if options.python else default_pythons()
    if not found:
        raise SystemExit("no interpreter found; name one with --python PATH")
    return found


def report(rows: Sequence[Row], options: argparse.Namespace) -> int:
    """Print the table; the exit status is the number of targets that were missed beyond the noise."""
    print(show_rows(rows))
    if options.json:
        Path(options.json).write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return sum(row.verdict == "MISS" for row in rows)


def run_alone(text: str | None, measure: Measure) -> None:
    """`main` of a benchmark that is run by itself."""
    options = parser(text).parse_args()
    rows: list[Row] = []
    for python in pythons(options):
        print(f"{python.name} …", file=sys.stderr, flush=True)
        rows += measure(python, options)
    sys.exit(min(report(rows, options), 1))
