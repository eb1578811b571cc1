"""The debugged program: runs what its standard input asks for, on the main thread, and measures itself.

Started by `benchmarks._target`; argv[1] is the descriptor that answers are written to, one JSON line each.
Times are CPU seconds of the whole process (`process_time`), so that other programs on the machine count
little and a debugger's own threads count in full; where waiting is the point, wall seconds are given too.
Runs on every Python that the server supports. Lines are named by `# @marker` comments.
"""

import gc
import json
import os
import sys
import threading
import time


def loop(n):
    total = i = 0
    while i < n:
        total += i & 3
        i += 1
    return total


def leaf(x):
    return x + 1


def calls(n):
    total = 0
    for _ in range(n):
        total = leaf(total)
    return total


def cold_loop(n):
    total = i = 0
    while i < n:
        total += i & 3
        i += 1
        if i < 0:
            total = -1  # @cold-loop
    return total


def cold_leaf(x):
    if x < 0:
        return -1  # @cold-leaf
    return x + 1


def cold_calls(n):
    total = 0
    for _ in range(n):
        total = cold_leaf(total)
    return total


def conditional(n):
    total = i = 0
    while i < n:
        i += 1
        total += i & 3  # @conditional
    return total


def raise_one(x):
    raise ValueError(x)


def exceptions_here(n):
    for _ in range(n):
        try:
            raise ValueError
        except ValueError:
            pass


def exceptions_below(n):
    for i in range(n):
        try:
            raise_one(i)
        except ValueError:
            pass


def heavy(n):
    begun = time.process_time()
    calls(n)
    return time.process_time() - begun


def step_over(n):
    first = 1  # @step-over
    spent = heavy(n)
    second = first + 1
    return spent, second


def single_steps():
    turns = 0  # @single-steps
    while turns < 1_000_000:
        turns += 1
        turns += 0
    return turns


def page():
    items = list(range(2_000_000))
    return len(items)  # @page


def elsewhere():
    return None  # @elsewhere


def spin():
    x = 0
    while True:
        x = leaf(x)
        x -= 1


def spin_on_one_line():
    x = 1
    while x: pass  # fmt: skip  # noqa: E701


WORKLOADS = {
    function.__name__: function
    for function in (loop, calls, cold_loop, cold_calls, conditional, exceptions_here, exceptions_below)
}


def run(workload, n):
    function = WORKLOADS[workload]
    begun = time.process_time()
    function(n)
    return time.process_time() - begun


def run_step_over(n):
    return step_over(n)[0]


def burst(lines, width=100):
    text = "x" * (width - 1)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(lines):
        print(text)
    sys.stdout.flush()
    wall = time.perf_counter() - wall
    time.sleep(0.1)  # a debugger may have something left to do
    return {"wall": wall, "cpu": time.process_time() - cpu}


def memory():
    """The resident set in bytes, or None where there is no /proc."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def threads():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def usage():
    return {"memory": memory(), "threads": threads()}


def enable(debugger, secret=None):
    """Import and enable a debugger; where it listens, and what that cost."""
    gc.collect()
    before = usage()
    begun = time.perf_counter()
    if debugger == "remora":
        import remora

        imported = time.perf_counter()
        address = remora.enable_attach(secret, ("127.0.0.1", 0))
    else:
        import debugpy

        imported = time.perf_counter()
        address = debugpy.listen(("127.0.0.1", 0))
    enabled = time.perf_counter()
    return {
        "address": list(address)[:2],
        "import": imported - begun,
        "enable": enabled - imported,
        "before": before,
        "compiled": [name for name in sys.modules if name.endswith("_cython")],
    }


COMMANDS = {
    function.__name__: function
    for function in (run, run_step_over, single_steps, page, spin, spin_on_one_line, burst, usage, enable)
}


def main():
    answers = os.fdopen(int(sys.argv[1]), "w")
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(COMMANDS[request["do"]](**request["with"])) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
