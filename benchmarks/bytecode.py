"""What hooks in bytecode cost on CPython 3.9 to 3.11: `python -m benchmarks.bytecode`.

Each ratio is that of the best turns of one function with a hook and without, run by turns in one process. The
file is its own program for the measured Pythons.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any, Callable

TURNS = 15
ITERATIONS = 200_000
COLD_LIMIT = 1.05


def loop_with_cold_line(count: int) -> int:
    total = 0
    for number in range(count):
        if number < 0:
            total = -1  # cold
        total += number & 3
    return total


def calls_with_cold_line(count: int) -> int:
    total = 0
    for number in range(count):
        total = leaf(total, number)
    return total


def leaf(total: int, number: int) -> int:
    if number < 0:
        return -1  # cold
    return total + 1


def hot_line(count: int) -> int:
    total = 0
    for number in range(count):
        total += number & 3  # hot
    return total


def line_of(function: Any, name: str) -> int:
    code = function.__code__
    with open(code.co_filename, encoding="utf-8") as file:
        lines = file.read().splitlines()[code.co_firstlineno - 1 :]
    return next(code.co_firstlineno + n for n, line in enumerate(lines) if line.endswith(f"# {name}"))


def best(function: Callable[[int], int], prepare: list[Callable[[], None]]) -> list[float]:
    """Nanoseconds of one iteration after each of the preparations, which take turns."""
    times = [float("inf")] * len(prepare)
    for _ in range(TURNS):
        for index, make_ready in enumerate(prepare):
            make_ready()
            function(5000)  # lets 3.11 specialise
            begin = time.perf_counter_ns()
            function(ITERATIONS)
            times[index] = min(times[index], (time.perf_counter_ns() - begin) / ITERATIONS)
    return times


def compare(function: Any, changed: Any, line: int, hook: Callable[[], object]) -> tuple[float, float, float]:
    """Plain, plain once more, and with a hook."""
    from remora._engine._bytecode import insert

    plain = changed.__code__
    hooked = insert(plain, {line: hook})
    codes = (plain, plain.replace(), hooked)
    ready = [lambda code=code: setattr(changed, "__code__", code) for code in codes]
    first, again, with_hook = best(function, ready)
    changed.__code__ = plain
    return first, again, with_hook


def false_condition() -> None:
    if sys._getframe(1).f_locals["number"] == -1:
        raise AssertionError


def show(what: str, figure: str) -> None:
    print(f"  {what:40}{figure}")


def measure() -> int:
    from remora._engine._bytecode import insert, lines_of
    from remora._engine._reach import Swapper

    def nothing() -> None:
        pass

    misses = 0
    print(f"CPython {sys.version.split()[0]}")
    for what, function, changed in (
        ("loop with a cold line", loop_with_cold_line, loop_with_cold_line),
        ("calls of a function with a cold line", calls_with_cold_line, leaf),
    ):
        plain, again, hooked = compare(function, changed, line_of(changed, "cold"), nothing)
        ratio, noise = hooked / plain, abs(again / plain - 1)
        verdict = "PASS" if ratio <= COLD_LIMIT else "NOISE" if ratio <= COLD_LIMIT + noise else "MISS"
        misses += verdict == "MISS"
        show(what, f"x{ratio:.3f} (control x{again / plain:.3f}): {verdict}")
    for what, hook in (
        ("hook that is a Python function", nothing),
        ("hook that is a C function", gc.get_count),
        ("hook that reads a local variable", false_condition),
    ):
        plain, _, hooked = compare(hot_line, hot_line, line_of(hot_line, "hot"), hook)
        show(what, f"{hooked - plain:.0f} ns a hit")
    functions = [one for one in gc.get_objects() if type(one) is types.FunctionType]
    begin = time.perf_counter()
    for one in functions:
        insert(one.__code__, {max(lines_of(one.__code__)): nothing})
    show("inserting one hook", f"{(time.perf_counter() - begin) / len(functions) * 1e6:.0f} us a function")
    objects: list[Any] = [[number] for number in range(1_000_000)]
    swapper = Swapper()
    times = []
    for line in (line_of(leaf, "cold"), line_of(hot_line, "hot")) * 3:
        begin = time.perf_counter()
        swapper.apply({__file__: {line: nothing}})
        times.append(time.perf_counter() - begin)
    swapper.clear()
    show("a change, with a million objects", f"{min(times) * 1e3:.0f} ms")
    del objects
    return misses


def main() -> int:
    if sys.argv[1:] == ["here"]:
        return measure()
    root = Path(__file__).resolve().parents[1]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    path = os.pathsep.join(str(root / part) for part in ("protocol", "server"))
    misses = 0
    for minor in (9, 10, 11):
        for python in sorted(versions.glob(f"3.{minor}.*"))[-1:]:
            command = [str(python / "bin" / "python"), "-B", __file__, "here"]
            done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, timeout=600, check=False)
            misses += done.returncode
    return min(misses, 1)


if __name__ == "__main__":
    sys.exit(main())
