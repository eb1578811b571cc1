"""Breakpoints on functions by name."""

import asyncio
import functools
import sys

from remora._stopping._breakpoints import FunctionBreakpoint


def plain(value):
    return value + 1  # @plain


def traced(function):
    @functools.wraps(function)
    def wrapper(*values):
        return function(*values)

    return wrapper


@traced
def decorated(value):  # @def
    return value  # @decorated


class Thing:
    def __init__(self):
        self.value = 1  # @init

    def method(self):
        return self.value  # @method

    @property
    def got(self):
        return self.value  # @got

    @staticmethod
    def static():
        return 1  # @static


def generate():
    yield 1  # @first
    yield 2  # @second


async def work():
    await asyncio.sleep(0)  # @work


def scenario_the_line_shown_is_that_of_the_def(scene):
    (found,) = scene.call("set_function_breakpoints", [FunctionBreakpoint(f"{__name__}.decorated")])
    scene.call("set_function_breakpoints", [])
    assert found.line == scene.line("def"), found


def markers(scene, name, program, **options):
    found = []
    (answer,) = scene.call("set_function_breakpoints", [FunctionBreakpoint(name, **options)])

    def script():
        while True:
            event, body = scene.events.get(timeout=20)
            scene.seen.append((event, body))
            if event == "stopped":
                assert body["reason"] == "function breakpoint"
                assert body["hitBreakpointIds"] == [answer.id]
                found.append(scene.where(body["threadId"]))
                scene.call("resume", None)
            elif event == "ended":
                return

    scene.script(script)
    program()
    scene.events.put(("ended", {}))
    scene.finish()
    scene.call("set_function_breakpoints", [])
    return found


def scenario_by_name(scene):
    module = __name__
    assert markers(scene, "plain", lambda: plain(1)) == ["plain"]
    assert markers(scene, f"{module}.plain", lambda: plain(1)) == ["plain"]
    assert markers(scene, f"{module}.decorated", lambda: decorated(1)) == ["decorated"]
    assert markers(scene, f"{module}.Thing.method", lambda: Thing().method()) == ["method"]
    assert markers(scene, "Thing.static", lambda: Thing.static()) == ["static"]
    assert markers(scene, "Thing.got", lambda: Thing().got) == ["got"]
    assert markers(scene, f"{module}.Thing", Thing) == ["init"]
    assert markers(scene, f"{module}.work", lambda: asyncio.run(work()))[0] == "work"


def scenario_generators_stop_at_each_resumption(scene):
    assert markers(scene, f"{__name__}.generate", lambda: list(generate())) == ["first", "second", "second"]


def scenario_that_are_suspended_already(scene):
    running = generate()
    next(running)
    assert markers(scene, f"{__name__}.generate", lambda: next(running)) == ["second"]


def scenario_inner_functions(scene):
    def within(value):
        return value  # @within

    assert within(1) == 1
    if not (sys.implementation.name == "pypy" and sys.version_info < (3, 11)):  # it knows no qualified names
        assert markers(scene, "scenario_inner_functions.within", lambda: within(2)) == ["within"]
    assert markers(scene, "within", lambda: within(2)) == ["within"]
    assert markers(scene, f"{__name__}.made", make_method) == ["made"]


def make_method():
    class Local:
        def made(self):
            return 1  # @made

    return Local().made()


def scenario_two_names_for_one(scene):
    """Set one after the other: the first has changed the function's code when the second is looked for."""
    first = FunctionBreakpoint("plain", log_message="one")
    second = FunctionBreakpoint(f"{__name__}.plain", log_message="two")
    scene.call("set_function_breakpoints", [first])
    scene.call("set_function_breakpoints", [first, second])
    assert plain(1) == 2
    scene.call("set_function_breakpoints", [])
    texts = []
    while not scene.events.empty():
        event, body = scene.events.get()
        if event == "output":
            texts.append(body["output"].strip())
    assert texts == ["one", "two"], texts


def scenario_nothing_is_traced_for_them(scene):
    """But where there is no other means: on PyPy."""
    for name in ("plain", "comes_much_later"):
        scene.call("set_function_breakpoints", [FunctionBreakpoint(name)])
        assert sys.implementation.name == "pypy" or sys.gettrace() is None
    scene.call("set_function_breakpoints", [])


def scenario_methods_of_a_class_that_comes_later(scene):
    (answer,) = scene.call("set_function_breakpoints", [FunctionBreakpoint("Later.method")])
    assert answer.reason == "pending"
    answer_comes = sys.version_info >= (3, 11) or sys.implementation.name == "cpython"

    def script():
        if answer_comes:
            assert scene.wait_stopped()["hitBreakpointIds"] == [answer.id]
            scene.call("resume", None)

    scene.script(script)
    names = {}
    text = "class Later:\n    def method(self):\n        return 7\n"
    exec(compile(text, "later_class.py", "exec"), names)
    assert names["Later"]().method() == 7
    scene.call("set_function_breakpoints", [])


def scenario_with_conditions(scene):
    program = lambda: [plain(value) for value in range(5)]
    assert markers(scene, f"{__name__}.plain", program, condition="value == 3") == ["plain"]
    assert markers(scene, f"{__name__}.plain", program, hit_condition=">= 4") == ["plain", "plain"]


def scenario_with_a_breakpoint_on_its_first_line(scene):
    """Both are hit at one stop, which says why the condition of the function's could not be asked."""
    wanted = FunctionBreakpoint(f"{__name__}.plain", condition="nothing", temporary=True)
    (function,) = scene.call("set_function_breakpoints", [wanted])
    (line,) = scene.break_at("plain")

    def script():
        stop = scene.wait_stopped()
        assert (stop["reason"], stop["hitBreakpointIds"]) == ("breakpoint", [function.id, line.id])
        assert "'nothing' failed: NameError" in stop["text"]
        scene.call("resume", None)
        assert scene.wait_stopped()["hitBreakpointIds"] == [line.id]
        scene.call("resume", None)

    scene.script(script)
    plain(1)
    plain(1)
    scene.finish()
    (function,) = scene.call("set_function_breakpoints", [FunctionBreakpoint(wanted.name, condition="nothing")])
    scene.call("set_breakpoints", __file__, [])

    def alone():
        stop = scene.wait_stopped()
        assert (stop["reason"], stop["hitBreakpointIds"]) == ("function breakpoint", [function.id])
        assert "'nothing' failed: NameError" in stop["text"]
        scene.call("resume", None)

    scene.script(alone)
    plain(1)
    scene.finish()
    scene.call("set_function_breakpoints", [])


def scenario_pending_and_refused(scene):
    (answer,) = scene.call("set_function_breakpoints", [FunctionBreakpoint("len")])
    assert (answer.verified, answer.reason) == (False, "failed")
    (answer,) = scene.call("set_function_breakpoints", [FunctionBreakpoint("math.sin")])
    assert (answer.verified, answer.reason) == (False, "failed"), answer
    (answer,) = scene.call("set_function_breakpoints", [FunctionBreakpoint("comes_later")])
    assert (answer.verified, answer.reason) == (False, "pending")

    def script():
        assert scene.wait("breakpoint")["breakpoint"]["verified"]
        assert scene.wait_stopped()["hitBreakpointIds"] == [answer.id]
        scene.call("resume", None)

    scene.script(script)
    names = {}
    exec(compile("def comes_later():\n    return 7\n", "later_function.py", "exec"), names)
    assert names["comes_later"]() == 7
    scene.call("set_function_breakpoints", [])
