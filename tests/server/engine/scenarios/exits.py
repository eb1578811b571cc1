"""Breakpoints on what functions return and yield."""

import asyncio
import sys

from remora._stopping._breakpoints import FunctionBreakpoint

REPLACES = sys.implementation.name == "cpython" and sys.version_info < (3, 12)


def double(value):
    if value < 0:
        return None
    return value * 2 or double(1)  # @doubled


def generate(count):
    for number in range(count):
        got = yield number  # @yield
        if got:
            yield got
    yield from inner()
    return "end"  # @end


def inner():
    yield "inner"


async def work(value):
    await asyncio.sleep(0)
    return value  # @work


async def stream():
    await asyncio.sleep(0)
    yield 1  # @stream
    yield 2


async def gather():
    return [each async for each in stream()]


def values(scene, name, at, program, act=None, **options):
    """What is returned or yielded at each stop."""
    found = []
    (answer,) = scene.call("set_function_breakpoints", [FunctionBreakpoint(name, at, **options)])
    assert answer.verified, answer

    def script():
        while True:
            event, body = scene.events.get(timeout=20)
            scene.seen.append((event, body))
            if event == "stopped":
                assert body["reason"] == "function breakpoint", body
                assert body["description"] == f"{at}ing", body
                assert body["hitBreakpointIds"] == [answer.id]
                stop = scene.call("stop_info", body["threadId"])
                assert body["remora"]["returned"] == stop.returned.name
                found.append(stop.returned.value)
                if act:
                    act(stop)
                scene.call("resume", None)
            elif event == "ended":
                return

    scene.script(script)
    found.append(program())
    scene.events.put(("ended", {}))
    scene.finish()
    scene.call("set_function_breakpoints", [])
    return found


def scenario_returns(scene):
    assert values(scene, "double", "return", lambda: double(2)) == [4, 4]
    assert values(scene, f"{__name__}.double", "return", lambda: double(0)) == [2, 2, 2]
    assert values(scene, f"{__name__}.work", "return", lambda: asyncio.run(work(7))) == [7, 7]
    assert values(scene, f"{__name__}.generate", "return", lambda: list(generate(1))) == [
        "end",
        [0, "inner"],
    ]


def scenario_yields(scene):
    """Of its own: what `yield from` and `await` pass on is none."""
    assert values(scene, f"{__name__}.generate", "yield", lambda: list(generate(2))) == [0, 1, [0, 1, "inner"]]
    assert values(scene, f"{__name__}.stream", "yield", lambda: asyncio.run(gather())) == [1, 2, [1, 2]]


def scenario_with_conditions(scene):
    program = lambda: [double(value) for value in range(1, 5)]
    assert values(scene, f"{__name__}.double", "return", program, condition="$retval > 6") == [8, [2, 4, 6, 8]]
    condition = "$retval == 4 and value == 2"
    assert values(scene, f"{__name__}.double", "return", program, condition=condition) == [4, [2, 4, 6, 8]]
    assert values(scene, f"{__name__}.double", "return", program, hit_condition=">= 4") == [8, [2, 4, 6, 8]]


def scenario_messages(scene):
    spec = FunctionBreakpoint(f"{__name__}.double", "return", log_message="{value} gives {$retval!r}")
    scene.call("set_function_breakpoints", [spec])
    assert double(3) == 6
    scene.call("set_function_breakpoints", [])
    assert scene.wait("output")["output"].strip() == "3 gives 6"


def scenario_replaced_where_the_runtime_can(scene):
    def replace(stop):
        assert stop.returned.can_change == REPLACES
        if REPLACES:
            stop.returned.value = "other"

    given = "other" if REPLACES else 4
    assert values(scene, f"{__name__}.double", "return", lambda: double(2), replace) == [4, given]
    given = ["other", "inner"] if REPLACES else [0, "inner"]
    assert values(scene, f"{__name__}.generate", "yield", lambda: list(generate(1)), replace) == [0, given]
    given = ["other", "other"] if REPLACES else [1, 2]
    found = values(scene, f"{__name__}.stream", "yield", lambda: asyncio.run(gather()), replace)
    assert found == [1, 2, given]


def scenario_calls_that_run_already(scene):
    running = generate(3)
    assert next(running) == 0

    def never(stop):
        assert not stop.returned.can_change

    assert values(scene, f"{__name__}.generate", "yield", lambda: next(running), never) == [1, 1]
    assert values(scene, f"{__name__}.generate", "return", lambda: list(running), never) == ["end", [2, "inner"]]


def scenario_a_step_from_there_ends_where_it_goes_to(scene):
    name = f"{__name__}.generate"
    (answer,) = scene.call("set_function_breakpoints", [FunctionBreakpoint(name, "yield")])

    def script():
        body = scene.wait_stopped()
        assert scene.where(body["threadId"]) == "yield"
        for kind in ("over", "over"):
            scene.call("step", body["threadId"], kind)
            body = scene.wait_stopped()
        assert body["reason"] == "step"
        assert scene.where(body["threadId"]) == "consumed"
        scene.call("set_function_breakpoints", [FunctionBreakpoint(f"{__name__}.double", "return")])
        scene.call("resume", None)
        body = scene.wait_stopped()
        assert scene.where(body["threadId"]) == "doubled"
        scene.call("step", body["threadId"], "out")
        body = scene.wait_stopped()
        assert scene.where(body["threadId"]) == "called"
        stop = scene.call("stop_info", body["threadId"])
        assert (stop.returned.name, stop.returned.value) == ("double", 6)
        scene.call("set_function_breakpoints", [])
        scene.call("resume", None)

    scene.script(script)
    source = generate(1)
    first = next(source)
    assert first == 0  # @consumed
    assert double(3) == 6  # @called
    scene.finish()


def scenario_a_step_that_returns_there(scene):
    """The breakpoint comes first, and the step is over with it."""
    (line,) = scene.break_at("doubled")
    (answer,) = scene.call("set_function_breakpoints", [FunctionBreakpoint(f"{__name__}.double", "return")])

    def script():
        body = scene.wait_stopped()
        assert body["hitBreakpointIds"] == [line.id]
        scene.call("step", body["threadId"], "over")
        body = scene.wait_stopped()
        assert body["hitBreakpointIds"] == [answer.id]
        scene.call("step", body["threadId"], "over")
        body = scene.wait_stopped()
        assert body["reason"] == "step"
        assert scene.where(body["threadId"]) == "here"
        scene.call("set_function_breakpoints", [])
        scene.call("resume", None)

    scene.script(script)
    found = double(4)  # @here
    assert found == 8
    scene.finish()


def scenario_refused(scene):
    (answer,) = scene.call("set_function_breakpoints", [FunctionBreakpoint(f"{__name__}.double", "yield")])
    assert (answer.verified, answer.reason) == (False, "failed")
    assert "no generator" in answer.message
    scene.call("set_function_breakpoints", [])


def scenario_nothing_is_traced_for_them(scene):
    """But where there is no other means: on PyPy."""
    for at in ("return", "yield"):
        scene.call("set_function_breakpoints", [FunctionBreakpoint(f"{__name__}.generate", at)])
        assert sys.implementation.name == "pypy" or sys.gettrace() is None
    scene.call("set_function_breakpoints", [])
