"""Steps that are easily lost: over calls that run untraced meanwhile, and of threads that were traced before."""

import gc
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

UNTRACED = sys.implementation.name == "cpython" and sys.version_info < (3, 12)
"""Where a call that is stepped over runs untraced, and its end is that of its frame."""

kept = []


def in_thread(function, *arguments):
    """None of the frames below it could catch an exception, which would keep the call traced."""
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


def checked(number):
    doubled = number * 2  # @checked
    return doubled


def calls_checked():
    checked(1)  # @first_call
    second = checked(2)  # @second_call
    return second  # @after_calls


def scenario_over_a_call_in_which_a_condition_fails(scene):
    """The error must not hold on to the frame that it came up in."""

    def script():
        stop = scene.wait_stopped()  # the first failure; those after it go on
        assert "missing" in stop["text"]
        for step, wanted in (("out", "first_call"), ("over", "second_call"), ("over", "after_calls")):
            scene.call("step", stop["threadId"], step)
            assert scene.wait_stopped()["reason"] == "step"
            assert scene.where(stop["threadId"]) == wanted
        scene.call("resume", None)

    scene.break_at("checked", condition="missing > 3")
    scene.script(script)
    gc.disable()
    in_thread(calls_checked)
    gc.enable()


def fails():
    raise ValueError("kept")


def keeps_its_frames():
    try:
        fails()
    except ValueError as error:
        kept.append(error)  # its traceback holds this frame


def calls_keeper(go_on):
    keeps_its_frames()  # @calls_keeper
    while go_on():  # @after_keeper
        len(kept)  # @later
    return 1


def scenario_over_a_call_whose_frame_is_kept(scene):
    """Somewhere in the frame that was stepped in, if not at once."""
    going_on = [1]

    def script():
        try:
            thread = scene.wait_stopped()["threadId"]
            scene.call("step", thread, "over")
            assert scene.wait_stopped(timeout=5)["reason"] == "step"
            assert scene.where(thread) in (("after_keeper", "later") if UNTRACED else ("after_keeper",))
        finally:
            going_on.clear()
        scene.call("resume", None)

    scene.break_at("calls_keeper")
    scene.script(script)
    in_thread(calls_keeper, lambda: bool(going_on))
    kept.clear()


def is_busy():
    until = time.monotonic() + 0.03
    while time.monotonic() < until:
        pass


def calls_busy():
    is_busy()  # @calls_busy
    return 1  # @after_busy


def calls_busy_again_and_again():
    for _ in range(30):
        calls_busy()


def scenario_over_calls_that_take_long(scene):
    """Whoever looks after such a call now and then must not make its end pass unseen."""

    def script():
        for _ in range(30):
            thread = scene.wait_stopped()["threadId"]
            scene.call("step", thread, "over")
            assert scene.wait_stopped(timeout=5)["reason"] == "step"
            assert scene.where(thread) == "after_busy"
            scene.call("resume", None)

    scene.break_at("calls_busy")
    scene.script(script)
    in_thread(calls_busy_again_and_again)


def waits(going_on):
    turns = 0
    while going_on:
        turns += 1  # @waiting
    return 42


def calls_waits(going_on):
    found = waits(going_on)  # @calls_waits
    return found  # @after_waits


def scenario_out_after_a_pause_in_the_middle_of_a_step(scene):
    """The thread was traced already when the pause reached for it: it is not to lose what happens next."""
    going_on = [1]

    def script():
        try:
            thread = scene.wait_stopped()["threadId"]
            scene.break_at()
            scene.call("step", thread, "until", line=scene.line("after_waits"))
            scene.call("pause", thread)
            assert scene.wait_stopped()["reason"] == "pause"
            going_on.clear()
            scene.call("step", thread, "out")
            assert scene.wait_stopped()["reason"] == "step"
            assert scene.where(thread) == "calls_waits"
            assert scene.call("stop_info", thread).returned.value == 42
        finally:
            going_on.clear()
        scene.call("resume", None)

    scene.break_at("waiting")
    scene.script(script)
    in_thread(calls_waits, going_on)


def raises_in_a_comprehension():
    try:
        return [1 // n for n in (1, 0)]  # @squares
    except ZeroDivisionError:
        return []


def scenario_a_comprehension_that_raises_is_one_hit(scene):
    """From 3.12 on an exception's way out of it has the line of the comprehension again."""
    counts = scene.count_hits("squares")
    raises_in_a_comprehension()
    # Before, its turns are a function's.
    assert counts() == [1 if sys.version_info >= (3, 12) else 3]


def raises():
    value = 1  # @raises
    raise ValueError(value)


def scenario_a_step_that_nothing_ends(scene):
    """The exception leaves the program's code: nobody is left to stop, and nothing is left of the step."""

    def script():
        thread = scene.wait_stopped()["threadId"]
        scene.call("step", thread, "over")
        scene.wait_stopped()
        scene.call("step", thread, "over")

    scene.break_at("raises", temporary=True)
    scene.script(script)
    with ThreadPoolExecutor(1) as pool:  # its thread lives on
        assert pool.submit(raises).exception() is not None
        deadline = time.monotonic() + 10
        while scene.debugger._reports.plans and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not scene.debugger._reports.plans
        assert not scene.debugger._engine._watches


def lives_on():
    done = 1  # @lives_on
    return done


def scenario_a_breakpoint_after_the_program_has_traced_itself(scene):
    """Its `settrace(None)` takes our tracer out of the thread; a breakpoint set later puts it back."""

    def script():
        scene.wait_stopped()
        scene.call("resume", None)

    scene.break_at("never")
    sys.settrace(lambda *event: None)
    sys.settrace(None)
    scene.break_at("lives_on")
    scene.script(script)
    lives_on()


def never_called():
    return None  # @never
