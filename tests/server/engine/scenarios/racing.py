"""Threads that come to a breakpoint at the moment at which something else happens to it: no hit is lost.

The condition of a breakpoint counts the hits in the program itself, and never holds.
"""

import contextlib
import importlib.util
import os
import sys
import tempfile
import threading

THREADS = 3
FUNCTIONS = 200


@contextlib.contextmanager
def in_turns():
    """Threads take turns as often as can be."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def race(function):
    """Run it on several threads at once."""
    start = threading.Barrier(THREADS)

    def run():
        start.wait(20)
        function()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    with in_turns():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


@contextlib.contextmanager
def fresh_module():
    """Many functions of a new file, which have never run; the second line of each is reached at each call."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(os.path.realpath(folder), "fresh.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(f"def f{number}(hits):\n    return hits\n" for number in range(FUNCTIONS)))
        spec = importlib.util.spec_from_file_location("fresh", path)
        sys.modules["fresh"] = module = importlib.util.module_from_spec(spec)
        try:
            yield spec, module, path
        finally:
            del sys.modules["fresh"]


def not_on_pypy(scenario):
    if sys.implementation.name == "pypy":
        scenario.skip = "its just-in-time compiler crashes where several threads are traced"
    return scenario


def count_hits(scene, path, *lines):
    from remora._stopping._breakpoints import SourceBreakpoint

    scene.call("set_breakpoints", path, [SourceBreakpoint(line, None, "hits.append(1)") for line in lines])


@not_on_pypy
def scenario_the_first_calls_of_functions_on_several_threads_at_once(scene):
    hits = []
    with fresh_module() as (spec, module, path):
        spec.loader.exec_module(module)
        functions = [getattr(module, f"f{number}") for number in range(FUNCTIONS)]
        count_hits(scene, path, *range(2, 2 * FUNCTIONS + 2, 2))
        race(lambda: [function(hits) for function in functions])
    assert len(hits) == FUNCTIONS * THREADS, len(hits)


def visit(hits):
    others = []
    others.append(hits)  # @visited
    others.append(1)  # @beside
    return others


@not_on_pypy
def scenario_breakpoints_that_come_and_go_beside_one_that_stays(scene):
    """In the same function, and in another file."""
    hits, visits = [], []
    is_over = threading.Event()
    visited, beside = scene.line("visited"), scene.line("beside")

    def walk():
        while not is_over.is_set():
            visit(hits)
            visits.append(1)

    def script(path):
        from remora._stopping._breakpoints import SourceBreakpoint

        stays = SourceBreakpoint(visited, None, "hits.append(1)")
        try:
            for _ in range(20):
                scene.call("set_breakpoints", scene.path, [stays, SourceBreakpoint(beside, None, "False")])
                count_hits(scene, path, 2)
                scene.call("set_breakpoints", scene.path, [stays])
                count_hits(scene, path)
        finally:
            is_over.set()

    with fresh_module() as (spec, module, path):
        spec.loader.exec_module(module)
        count_hits(scene, scene.path, visited)
        scene.script(lambda: script(path))
        race(walk)
    assert len(visits) > 100
    assert len(hits) == len(visits), (len(hits), len(visits))
