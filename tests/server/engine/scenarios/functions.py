"""Breakpoints on functions by name."""

import asyncio
import functools

from remora._breakpoints import FunctionBreakpoint


def plain(value):
    return value + 1  # @plain


def traced(function):
    @functools.wraps(function)
    def wrapper(*values):
        return function(*values)

    return wrapper


@traced
def decorated(value):
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


def scenario_with_conditions(scene):
    program = lambda: [plain(value) for value in range(5)]
    assert markers(scene, f"{__name__}.plain", program, condition="value == 3") == ["plain"]
    assert markers(scene, f"{__name__}.plain", program, hit_condition=">= 4") == ["plain", "plain"]


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
