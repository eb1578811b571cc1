"""What hooks may do, and what they must leave alone. Run as `python hook_checks.py NAME`."""

# ruff: noqa: C416, E701, PT017, RET504

import dis
import glob
import importlib.util
import inspect
import os
import sys
import tempfile
import traceback
import types

from remora._engine import _linetables
from remora._engine._bytecode import Rewriter, insert, insertion_of, lines_of, nested, original
from remora._interpreter import _native

VERSION = sys.version_info[:2]


def line_of(function, text):
    """The line of `function` that ends with the comment `text`."""
    lines, first = inspect.getsourcelines(function)
    return next(first + number for number, line in enumerate(lines) if line.rstrip().endswith("# " + text))


def with_hooks(function, **hooks):
    """A copy of `function` that calls hooks at the lines that end with their names."""
    code = insert(function.__code__, {line_of(function, name): hook for name, hook in hooks.items()})
    copy = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__dict__.update(function.__dict__)
    return copy


def at_next_line(frame, act):
    """What a debugger does in a hook to act on its frame from within a tracer."""

    def tracer(frame, event, argument):
        if event == "line" and frame.f_lasti not in insertion_of(frame.f_code).results:
            sys.settrace(None)
            act(frame)
            frame.f_trace = None
            return None
        return tracer

    frame.f_trace = tracer
    sys.settrace(lambda frame, event, argument: None)


def jumping(function, name):
    def hook():
        frame = sys._getframe(1)

        def act(frame):
            assert frame.f_lineno == line
            frame.f_lineno = line_of(function, name)

        line = frame.f_lineno
        at_next_line(frame, act)

    return hook


def check_jump_forward():
    def program():
        out = []
        out.append(1)  # here
        out.append(2)
        out.append(3)  # there
        return out

    assert with_hooks(program, here=jumping(program, "there"))() == [3]


def check_jump_backward_once():
    def program():
        out = []
        out.append(1)  # there
        out.append(2)
        if len(out) < 4:
            out.append(3)  # here
        return out

    assert with_hooks(program, here=jumping(program, "there"))() == [1, 2, 1, 2]


def check_jump_within_loop_leaves_iterator_alone():
    def program():
        out = []
        for n in range(4):
            out.append(n)  # here
            out.append("x")
            out.append("y")  # there
        return out

    assert with_hooks(program, here=jumping(program, "there"))() == ["y"] * 4


def check_jump_out_of_loop_and_into_try():
    def program():
        out = []
        for n in range(4):
            out.append(n)  # here
        try:
            out.append("x")
        finally:
            out.append("y")  # there
        return out

    try:
        result = with_hooks(program, here=jumping(program, "there"))()
    except ValueError as error:
        # As with any tracer: some Pythons do not let one jump into a block.
        assert "jump" in str(error)
    else:
        assert result[-1] == "y"


def check_jump_in_one_line_loop():
    def program():
        out = []
        for n in range(3): out.append(n)  # here # fmt: skip
        out.append("x")
        return out  # there

    program = types.FunctionType(program.__code__, globals())
    lines, first = inspect.getsourcelines(program)
    here = next(first + number for number, line in enumerate(lines) if "# here" in line)
    there = next(first + number for number, line in enumerate(lines) if "# there" in line)
    turns = []

    def hook():
        turns.append(1)
        if len(turns) == 3:
            at_next_line(sys._getframe(1), lambda frame: setattr(frame, "f_lineno", there))

    program.__code__ = insert(program.__code__, {here: hook})
    assert program() == [0, 1]


def check_stepping_starts_at_the_line():
    def program():
        a = 1  # here
        b = 2
        return a + b

    seen = []

    def tracer(frame, event, argument):
        if event == "line":
            seen.append(frame.f_lineno - line_of(program, "here"))
        return tracer

    def hook():
        sys._getframe(1).f_trace = tracer
        sys.settrace(lambda *event: None)

    assert with_hooks(program, here=hook)() == 3
    sys.settrace(None)
    assert seen == [0, 1, 2]


def check_assigning_to_locals():
    def program(a):
        def inner():
            return shared

        shared = 1
        b = 2
        return a, b, inner()  # here

    def hook():
        frame = sys._getframe(1)
        frame.f_locals.update(a=10, b=20, shared=30)
        _native.write_back_locals(frame)

    assert with_hooks(program, here=hook)(5) == (10, 20, 30)


def check_entries_are_starts_and_resumptions():
    def plain(a):
        while True:
            a += 1
            if a > 3:
                return a

    def generator():
        got = []
        for n in range(2):
            got.append((yield n))
        yield from "ab"
        return got

    def closure():
        def inner():
            return shared

        shared = 1
        return inner

    def entered(function):
        entries = []
        code = insert(function.__code__, {}, lambda: entries.append(sys._getframe(1).f_code.co_name))
        copy = types.FunctionType(code, globals(), closure=function.__closure__)
        return copy, entries

    function, entries = entered(plain)
    assert [function(1), function(2)] == [4, 4]
    assert entries == ["plain", "plain"]
    function, entries = entered(generator)
    running = function()
    assert entries == []
    assert [next(running), running.send("x"), running.send("y"), next(running)] == [0, 1, "a", "b"]
    # Up to 3.10 what resumes a `yield from` goes past the frame; it comes back when that is over.
    assert len(entries) == (4 if VERSION == (3, 11) else 3)
    try:
        next(running)
    except StopIteration as end:
        assert end.value == ["x", "y"]
    assert len(entries) == (5 if VERSION == (3, 11) else 4)
    function, entries = entered(closure())
    assert (function(), entries) == (1, ["inner"])


def check_entries_see_arguments_and_no_line_comes_twice():
    def program(a):
        b = a  # here
        return b

    seen = []

    def entry():
        frame = sys._getframe(1)
        seen.append(dict(frame.f_locals))
        frame.f_trace = tracer
        sys.settrace(lambda *event: None)

    def tracer(frame, event, argument):
        insertion = insertion_of(frame.f_code)
        if event == "line" and frame.f_lasti not in insertion.results | insertion.starts:
            seen.append(frame.f_lineno - line_of(program, "here"))
        return tracer

    code = insert(program.__code__, {}, entry)
    assert types.FunctionType(code, globals())(5) == 5
    sys.settrace(None)
    assert seen == [{"a": 5}, 0, 1]


class Stop(BaseException):
    pass


def stop():
    raise Stop


def check_exception_of_hook_is_handled_as_if_the_line_raised():
    def program(out):
        try:
            out.append(1)  # here
        except Stop:
            out.append("caught")
        else:
            out.append("else")
        finally:
            out.append("finally")
        return out

    assert with_hooks(program, here=stop)([]) == ["caught", "finally"]


def check_exception_of_hook_in_with_and_loop():
    class Manager:
        def __enter__(self):
            return self

        def __exit__(self, *what):
            out.append(what[0])
            return n < 2

    out = []

    def program():
        global n
        for n in range(3):
            with Manager():
                out.append(n)  # here
                out.append("never")

    try:
        with_hooks(program, here=stop)()
    except Stop as error:
        place = traceback.extract_tb(error.__traceback__)[1]
        assert place.lineno == line_of(program, "here"), place
    else:
        raise AssertionError
    assert out == [Stop, Stop, Stop]


def check_exception_of_hook_in_handler_keeps_the_context():
    def program():
        try:
            return {}["x"]
        except KeyError:
            return 1  # here

    try:
        with_hooks(program, here=stop)()
    except Stop as error:
        assert isinstance(error.__context__, KeyError)
    assert sys.exc_info() == (None, None, None)


def check_exception_of_hook_at_a_with_line_left_by_exception():
    """Here the hook runs before the handler has begun."""

    class Manager:
        def __enter__(self):
            return self

        def __exit__(self, *what):
            return False

    def program():
        with Manager():  # here
            raise ValueError

    calls = []

    def hook():
        calls.append(1)
        if len(calls) == 2:
            raise Stop

    try:
        with_hooks(program, here=hook)()
    except (Stop, ValueError) as error:
        # 3.9 reports no line here.
        assert isinstance(error, Stop) == (len(calls) == 2)
        assert VERSION == (3, 9) or len(calls) == 2


def check_handled_exception_is_visible_in_hook():
    def program():
        try:
            raise ValueError("x")
        except ValueError:
            a = 1  # here
        return a

    seen = []
    with_hooks(program, here=lambda: seen.append(sys.exc_info()[1]))()
    assert repr(seen) == "[ValueError('x')]"


def check_recursion_through_a_hook():
    def program(n):
        m = n  # here
        return m

    def hook():
        if depth:
            depth.pop()
            results.append(instrumented(len(depth)))

    depth, results = [1, 2, 3], []
    instrumented = with_hooks(program, here=hook)
    assert instrumented(9) == 9
    assert results == [0, 1, 2]


def check_generator_keeps_its_state():
    def program():
        received = yield 1  # here
        yield received

    running = with_hooks(program, here=lambda: None)()
    assert [next(running), running.send("x")] == [1, "x"]
    assert running.gi_frame.f_lineno == line_of(program, "here") + 1


def check_what_is_seen_of_code_stays():
    def outer():
        free = 1

        def program(a, /, b: int, *c, d=4, **e):
            """What it does."""
            local = free  # here
            return local

        return program

    before = outer().__code__
    after = insert(before, {line_of(outer, "here"): lambda: None})
    for name in dir(before):
        if name.startswith("co_") and name not in {
            "co_code", "co_consts", "co_stacksize", "co_lines", "co_positions", "co_linetable", "co_lnotab",
            "co_exceptiontable", "_co_code_adaptive",
        }:  # fmt: skip
            assert getattr(before, name) == getattr(after, name), name
    function = types.FunctionType(after, {}, closure=outer().__closure__)
    assert function.__doc__ == "What it does."
    assert inspect.signature(function, eval_str=False) if VERSION > (3, 9) else inspect.signature(function)
    assert "local = free" in inspect.getsource(function)


def check_nothing_to_insert():
    def program():
        return 1

    assert insert(program.__code__, {}) is None
    assert insert(program.__code__, {10**6: stop}) is None
    assert Rewriter({}, {1: stop}).rewrite(program.__code__) is program.__code__
    assert Rewriter({10**6: stop}).rewrite(program.__code__) is program.__code__


def check_hooks_go_into_originals_only():
    def program():
        return 1  # here

    code = insert(program.__code__, {line_of(program, "here"): stop})
    assert original(code) is program.__code__
    assert dict(insertion_of(code).hooks) == {line_of(program, "here"): stop}
    try:
        insert(code, {1: stop})
    except ValueError:
        pass
    else:
        raise AssertionError


def check_nested_code():
    def program():
        class A:
            def f(self):
                return [x for x in (1, 2)]  # here

        return A

    rewriter = Rewriter({line_of(program, "here"): lambda: hits.append(sys._getframe(1).f_code.co_name)})
    hits = []
    code = rewriter.rewrite(program.__code__)
    changed = {old.co_name: new for old, new in rewriter.changed}
    assert set(changed) == {"program", "A", "f", "<listcomp>"}
    assert rewriter.rewrite(program.__code__) is code
    assert rewriter.rewrite(code) is code
    inner = next(child for _, child in nested(program.__code__))
    assert rewriter.rewrite(inner) is changed["A"]
    assert types.FunctionType(code, globals())()().f() == [1, 2]
    assert hits[:2] == ["f", "<listcomp>"]


def check_tracebacks_are_the_same_text():
    text = """
def inner(values):
    total = 0
    for value in values:
        total += (value["a"] +
                  value["b"]["c"] * 2)
    return total

def outer():
    try:
        return inner([{"a": 1, "b": {"c": 1}}, {"a": 1, "b": {}}])
    except KeyError as error:
        raise ValueError("é" * 200 and   1 / 0) from error
"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "raising.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        spec = importlib.util.spec_from_file_location("raising", path)
        code = compile(text, path, "exec")
        texts = []
        lines = set().union(*(lines_of(child) for _, child in nested(code)))
        for version in (code, Rewriter(dict.fromkeys(lines, lambda: None)).rewrite(code)):
            module = importlib.util.module_from_spec(spec)
            exec(version, vars(module))
            try:
                module.outer()
            except ZeroDivisionError:
                texts.append(traceback.format_exc())
    assert texts[0] == texts[1], "\n".join(texts)
    assert VERSION < (3, 11) or "~~~~~~~~~~^^^^^" in texts[0], texts[0]


def check_tables_survive_rewriting():
    """Written anew, the tables of the standard library say what they said."""

    def tree(code):
        yield code
        for _, child in nested(code):
            yield from tree(child)

    folder = os.path.dirname(os.__file__)
    count = 0
    for path in sorted(glob.glob(folder + "/*.py") + glob.glob(folder + "/asyncio/*.py")):
        with open(path, "rb") as file:
            module = compile(file.read(), path, "exec", dont_inherit=True)
        for code in tree(module):
            places = _linetables.read_places(code)
            table = _linetables.write_places(
                [_linetables.Span(2, place) for place in places], code.co_firstlineno
            )
            copy = code.replace(**{_linetables.TABLE: table})
            assert list(dis.findlinestarts(copy)) == list(dis.findlinestarts(code)), code
            assert _linetables.read_places(copy) == places, code
            if VERSION >= (3, 11):
                guards = _linetables.read_guards(code)
                assert _linetables.write_guards(guards) == code.co_exceptiontable
            count += 1
    assert count > 5000, count


if __name__ == "__main__":
    globals()[sys.argv[1]]()
