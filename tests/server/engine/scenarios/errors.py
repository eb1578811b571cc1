"""Exceptions: where the three filters stop, and where they do not."""

import asyncio
import contextlib
import sys
import threading

from remora._stopping._breakpoints import ExceptionFilter


def stops(scene, program, *filters):
    """Run a program; (marker, type, break mode) of each stop."""
    found = []
    answers = scene.call("set_exception_filters", [ExceptionFilter(*each) for each in filters])
    assert all(answer.verified for answer in answers), answers

    def script():
        while True:
            event, body = scene.events.get(timeout=20)
            scene.seen.append((event, body))
            if event == "stopped":
                stop = scene.call("stop_info", body["threadId"])
                assert body["reason"] == "exception"
                found.append((scene.where(body["threadId"]), type(stop.error).__name__, stop.break_mode))
                scene.call("resume", None)
            elif event == "ended":
                return

    scene.script(script)
    with contextlib.suppress(Exception):
        program()
    scene.events.put(("ended", {}))
    scene.finish()
    scene.call("set_exception_filters", [])
    return found


def fails():
    raise ValueError("on purpose")  # @raise


def caught():
    try:
        fails()
    except ValueError:
        return 1
    return 2


def in_library():
    def key(value):
        raise KeyError(value)  # @key

    try:
        sorted([1, 2], key=key)
    except KeyError:
        pass


def found_by_library():
    try:
        int("x")  # @int
    except ValueError:
        pass
    import json

    try:
        json.loads("{")  # @json
    except ValueError:
        pass


def again():
    try:
        try:
            fails()
        except ValueError as error:
            raise error  # @again
    except ValueError:
        pass


def as_a_matter_of_course():
    for _ in iter([]):
        pass
    next(iter([]), None)
    with contextlib.suppress(StopIteration):
        next(iter([]))
    with contextlib.suppress(SystemExit):
        sys.exit(2)  # @exit

    def generate():
        yield 1

    source = generate()
    next(source)
    source.close()


def scenario_raised(scene):
    assert stops(scene, caught, ("raised",)) == [("raise", "ValueError", "always")]
    assert stops(scene, in_library, ("raised",)) == [("key", "KeyError", "always")]
    assert stops(scene, again, ("raised",)) == [("raise", "ValueError", "always")]
    assert stops(scene, as_a_matter_of_course, ("raised",)) == []


def scenario_raised_in_library_code_stops_in_the_programs(scene):
    found = stops(scene, found_by_library, ("raised",))
    assert found == [("int", "ValueError", "always"), ("json", "JSONDecodeError", "always")], found


def scenario_raised_by_type(scene):
    assert stops(scene, caught, ("raised", "KeyError")) == []
    assert stops(scene, caught, ("raised", "KeyError, ValueError")) != []
    assert stops(scene, caught, ("raised", "builtins.Value*")) != []
    assert stops(scene, caught, ("raised", "Exception")) != []
    assert stops(scene, caught, ("raised", "Exception, !ValueError")) == []
    assert stops(scene, as_a_matter_of_course, ("raised", "SystemExit")) == [("exit", "SystemExit", "always")]


def scenario_raised_by_expression(scene):
    assert stops(scene, caught, ("raised", "'purpose' in str($exc)")) != []
    assert stops(scene, caught, ("raised", "'accident' in str($exc)")) == []
    (answer,) = scene.call("set_exception_filters", [ExceptionFilter("raised", "$exc +")])
    assert not answer.verified
    (answer,) = scene.call("set_exception_filters", [ExceptionFilter("sometimes")])
    assert not answer.verified


def scenario_pauses_and_steps_while_errors_are_watched(scene):
    """Where only exceptions matter, lines are not reported; but they are when something else matters."""
    scene.call("set_exception_filters", [ExceptionFilter("raised", "KeyError")])
    # No variable of both functions: what another thread assigns to one that `spin` has, too, Python before
    # 3.13 undoes when a tracing function of that frame returns.
    going = [True]

    def spin():
        turns = 0
        while going:
            turns += 1  # @turn
        return turns

    def pause_in_spin():
        for _ in range(3):
            scene.call("pause", None)
            thread = scene.wait_stopped()["threadId"]
            while scene.where(thread) != "turn":
                scene.call("step", thread, "in")  # it may be on its way to `spin` yet
                scene.wait_stopped()
            scene.call("resume", None)

    def script():
        try:
            pause_in_spin()
        finally:
            going.clear()
        stop = scene.wait_stopped()
        thread = stop["threadId"]
        assert stop["reason"] == "exception"
        assert scene.where(thread) == "missing"
        scene.call("step", thread, "over")
        scene.wait_stopped()
        assert scene.where(thread) == "handler", scene.where(thread)
        scene.call("resume", None)

    scene.script(script)
    spin()
    try:
        {}["missing"]  # @missing
    except KeyError:  # @handler
        pass


def scenario_a_generator_that_goes_on_after_an_error(scene):
    def generate():
        while True:
            try:
                fails()
            except ValueError:
                pass
            yield

    def program():
        with contextlib.ExitStack() as stack:  # so that a library's code is who resumes it
            running = generate()
            for _ in range(3):
                stack.callback(next, running)

    assert stops(scene, program, ("userUnhandled",)) == []


def scenario_user_unhandled(scene):
    def unhandled():
        # The library calls our code, which lets the exception out to it.
        contextlib.ExitStack().callback(fails)
        with contextlib.ExitStack() as stack:
            stack.callback(fails)

    assert stops(scene, caught, ("userUnhandled",)) == []
    assert stops(scene, unhandled, ("userUnhandled",)) == [("raise", "ValueError", "userUnhandled")]
    assert stops(scene, unhandled, ("userUnhandled", "KeyError")) == []


def scenario_uncaught_in_a_thread(scene):
    def program():
        thread = threading.Thread(target=fails)
        thread.start()
        thread.join()

    hook, threading.excepthook = threading.excepthook, lambda arguments: None
    try:
        assert stops(scene, program, ("uncaught",)) == [("raise", "ValueError", "unhandled")]
        assert stops(scene, program, ("uncaught", "KeyError")) == []
    finally:
        threading.excepthook = hook


def scenario_uncaught_in_the_main_thread(scene):
    def program():
        try:
            fails()
        except ValueError:
            sys.excepthook(*sys.exc_info())

    hook, sys.excepthook = sys.excepthook, lambda *error: None
    try:
        assert stops(scene, program, ("uncaught",)) == [("raise", "ValueError", "unhandled")]
        assert stops(scene, program, ("uncaught",), ("raised",)) == [("raise", "ValueError", "always")]
    finally:
        sys.excepthook = hook


def scenario_in_a_task(scene):
    async def work():
        await asyncio.sleep(0)
        fails()

    async def main():
        await asyncio.gather(work(), return_exceptions=True)

    assert stops(scene, lambda: asyncio.run(main()), ("raised",)) == [("raise", "ValueError", "always")]
    found = stops(scene, lambda: asyncio.run(main()), ("userUnhandled",))
    assert found == [("fails()", "ValueError", "userUnhandled")], found
