"""Code that is copied, replaced, loaded anew or made at run time keeps its breakpoints, and each hit is one."""

import contextlib
import importlib
import os
import sys
import tempfile
import types

from remora._stopping._breakpoints import SourceBreakpoint

INSERTED = sys.implementation.name == "cpython" and sys.version_info < (3, 12)


def first(value):
    value += 1  # @first
    return value


def second(value):
    value += 2  # @second
    return value


def scenario_the_code_of_a_function_is_replaced(scene):
    """Under a breakpoint, and back again: what counts is the code that runs."""
    counts = scene.count_hits("first", "second")
    own = first.__code__
    assert first(1) == 2
    first.__code__ = second.__code__
    assert first(1) == 3
    assert second(1) == 3
    first.__code__ = own
    assert first(1) == 2
    assert counts() == [2, 2]


def scenario_replaced_before_the_breakpoint(scene):
    own = first.__code__
    first.__code__ = second.__code__
    counts = scene.count_hits("first", "second")
    first(1)
    second(1)
    first.__code__ = own
    first(1)
    # Before 3.12 code is found by the functions that have it, and nobody has this one at that moment.
    assert counts() == [0 if INSERTED else 1, 2]


def scenario_a_copy_of_a_function(scene):
    """Made before the breakpoint, and after it."""
    early = types.FunctionType(first.__code__, globals(), "early")
    counts = scene.count_hits("first")
    late = types.FunctionType(first.__code__, globals(), "late")
    other = types.FunctionType(first.__code__.replace(co_name="other"), globals(), "other")
    assert [early(1), late(1), other(1), first(1)] == [2, 2, 2, 2]
    assert counts() == [4]
    scene.break_at()
    assert [early(1), late(1), other(1), first(1)] == [2, 2, 2, 2]


TEXT = """
def runs(value):
    value += 1
    return value

done = runs(1)
"""
HIT = SourceBreakpoint(3, log_message="hit")


@contextlib.contextmanager
def module_file():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "replaced.py")
        with open(path, "w") as file:
            file.write(TEXT)
        yield path


def scenario_a_module_is_reloaded(scene):
    """Its old functions, which somebody may have kept, stop as the new ones do."""
    with module_file() as path:
        sys.path.insert(0, os.path.dirname(path))
        try:
            module = importlib.import_module("replaced")
            old = module.runs
            scene.call("set_breakpoints", path, [HIT])
            importlib.reload(module)
            module.runs(1)
            old(1)
        finally:
            sys.path.pop(0)
            sys.modules.pop("replaced", None)
    assert hits(scene) == 3


def hits(scene):
    """How often a logpoint was reached."""
    found = [scene.events.get() for _ in range(scene.events.qsize())]
    return [event for event, _ in found].count("output")


def scenario_code_with_the_name_of_a_file(scene):
    """Executed in several namespaces, as plugins and notebooks do."""
    with module_file() as path:
        code = compile(TEXT, path, "exec")
        early, late, anew = {}, {}, {}
        exec(code, early)
        scene.call("set_breakpoints", path, [HIT])
        exec(code, late)
        exec(compile(TEXT, path, "exec"), anew)
        for names in (early, late, anew):
            names["runs"](1)
    assert hits(scene) == 5
