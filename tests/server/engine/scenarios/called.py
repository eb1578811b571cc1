"""What calls return that are stepped over: by `sys.monitoring`, where it costs next to nothing."""

import asyncio
import sys
import time


def double(value):
    return value * 2


def nothing(value):
    return None


class Thing:
    def method(self, value):
        return double(value) + 1


def generate():
    yield 1


async def work():
    await asyncio.sleep(0)
    return "done"


def fib(number):
    return number if number < 2 else fib(number - 1) + fib(number - 2)


def stepped(scene, program):
    """What was returned on each line of a function that is stepped through from its marked line."""
    found = []
    scene.break_at("begin")

    def script():
        body = scene.wait_stopped()
        thread = body["threadId"]
        while scene.where(thread) != "end":
            scene.call("step", thread, "over")
            body = scene.wait_stopped()
            called = scene.call("stop_info", thread).called
            found.append(None if called is None else (called.name, called.value))
        scene.call("resume", None)

    scene.script(script)
    program()
    scene.finish()
    return found


def many_calls():
    thing = Thing()  # @begin
    double(2)
    thing.method(double(3))
    nothing(1)
    list(generate())
    len("abc")
    [double(each) for each in range(3)]
    fib(5)
    pass  # @end


def scenario_functions_and_methods(scene):
    found = stepped(scene, many_calls)
    if sys.version_info < (3, 12) or sys.implementation.name == "pypy":
        assert found == [None] * 8
    else:
        assert found[:4] == [None, ("double", 4), ("Thing.method", 13), None], found
        assert found[4:6] == [None, None], found
        assert found[6:] == [("double", 4), ("fib", 5)], found


def scenario_awaited(scene):
    async def main():
        begun = 1  # @begin2
        await work()
        pass  # @end2

    if sys.version_info < (3, 12) or sys.implementation.name == "pypy":
        return
    scene.break_at("begin2")

    def script():
        thread = scene.wait_stopped()["threadId"]
        for _ in range(2):
            scene.call("step", thread, "over")
            scene.wait_stopped()
        called = scene.call("stop_info", thread).called
        assert (called.name, called.value) == ("work", "done")
        scene.call("resume", None)

    scene.script(script)
    asyncio.run(main())
    scene.finish()


def scenario_a_heavy_recursion_keeps_its_speed(scene):
    def bare():
        began = time.perf_counter()
        fib(22)
        return time.perf_counter() - began

    def watched():
        began = time.perf_counter()  # @begin3
        fib(22)
        return time.perf_counter() - began  # @end3

    alone = min(bare() for _ in range(3))
    scene.break_at("begin3")
    found = []

    def script():
        for _ in range(3):
            thread = scene.wait_stopped()["threadId"]
            for _ in range(2):
                scene.call("step", thread, "over")
                scene.wait_stopped()
            scene.call("resume", None)

    scene.script(script)
    for _ in range(3):
        found.append(watched())
    scene.finish()
    if sys.version_info >= (3, 12) and sys.implementation.name != "pypy":
        assert min(found) < alone * 2 + 0.05, (alone, found)
