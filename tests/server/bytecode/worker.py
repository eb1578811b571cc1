"""Runs in a debuggee's Python: compares what hooks and what settrace report for programs sent as JSON lines.

A request is {"source", "entry"}: the source defines a function `entry` without parameters. The answer holds
what came out of it (a result, or an exception with all lines and columns of its traceback) and the lines
reported: for a plain run, one with a tracer, one with a hook on every line, and one with both.
"""

import asyncio
import json
import sys
import traceback
import warnings

from remora._engine._bytecode import Rewriter, insertion_of, lines_of, nested

FILENAME = "<construct>"


def tree(code):
    yield code
    for _, child in nested(code):
        yield from tree(child)


def load(request, change=lambda code: code):
    namespace = {"__name__": "construct", "asyncio": asyncio}
    exec(change(compile(request["source"], FILENAME, "exec", dont_inherit=True)), namespace)
    return namespace[request["entry"]]


def outcome(function):
    try:
        return "result", repr(function())
    except BaseException as error:
        return "error", repr(error), where(error)


def where(error):
    """Every place that a traceback shows; columns only where there are any."""
    places = []
    while error is not None:
        for frame, line in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename == FILENAME:
                places.append([frame.f_code.co_name, line])
        places += columns(error)
        error = error.__cause__ or error.__context__
    return places


def columns(error):
    if sys.version_info < (3, 11):
        return []
    found = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if code.co_filename == FILENAME:
            found.append(list(code.co_positions())[step.tb_lasti // 2])
        step = step.tb_next
    return found


def traced(request):
    function = load(request)
    seen = []

    def tracer(frame, event, argument):
        if frame.f_code.co_filename != FILENAME:
            return None
        if event == "line":
            seen.append((frame.f_code.co_name, frame.f_lineno))
        return tracer

    sys.settrace(tracer)
    try:
        came = outcome(function)
    finally:
        sys.settrace(None)
    return came, seen


def load_hooked(request, seen):
    def hook_at(line):
        def hook():
            frame = sys._getframe(1)
            seen.append((frame.f_code.co_name, line))
            if frame.f_lineno != line:
                seen.append(("f_lineno", frame.f_lineno))

        return hook

    def instrument(code):
        lines = set().union(*(lines_of(inner) for inner in tree(code)))
        # Entries are not compared with anything here; they must not change what is.
        entries = {id(inner): lambda: None for inner in tree(code)}
        return Rewriter({line: hook_at(line) for line in lines}, entries).rewrite(code)

    function = load(request, instrument)
    seen.clear()
    return function


def hooked(request):
    seen = []
    function = load_hooked(request, seen)
    return outcome(function), seen


def both(request):
    """The lines a tracer sees of instrumented code; a line may be there twice, before its hook and after."""
    hooks = []
    function = load_hooked(request, hooks)
    seen = []

    def tracer(frame, event, argument):
        if frame.f_code.co_filename != FILENAME:
            return None
        if event == "line":
            at = frame.f_code.co_name, frame.f_lineno
            insertion = insertion_of(frame.f_code)
            if insertion is not None and frame.f_lasti in insertion.results:
                seen.append(("a line where a result is dropped", frame.f_lineno))
            seen.append(at)
        return tracer

    sys.settrace(tracer)
    try:
        came = outcome(function)
    finally:
        sys.settrace(None)
    return came, hooks, seen


def without_repeats(seen):
    """`seen` without lines that a function reports twice running: the second time after its hook."""
    last = {}
    kept = []
    for name, line in seen:
        if last.get(name) != line:
            kept.append((name, line))
        last[name] = line
    return kept


def answer(request):
    plain = outcome(load(request))
    came, lines = traced(request)
    hook_came, hook_lines = hooked(request)
    both_came, both_hooks, both_lines = both(request)
    return {
        "outcomes": [plain, came, hook_came, both_came],
        "traced": lines,
        "hooked": hook_lines,
        "hooked_while_traced": both_hooks,
        "traced_without_repeats": without_repeats(lines),
        "traced_while_hooked": without_repeats(both_lines),
    }


def main():
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except BaseException:
            reply = {"failure": traceback.format_exc()}
        print(json.dumps(reply), flush=True)


main()
