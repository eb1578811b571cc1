"""What else happens in a program while it is stepped: signals, forks, profilers, threads and generators that end."""

import cProfile
import gc
import os
import pstats
import signal
import sys
import threading
import time

INSERTED = sys.implementation.name == "cpython" and sys.version_info < (3, 12)

handled = []
is_handled = threading.Event()


def on_signal(number, frame):
    handled.append(number)  # @handler
    is_handled.set()


def busy(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def is_signalled():
    value = 1  # @signalled
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    busy(0.15)  # @busy
    value = 2  # @after_busy
    return value


def scenario_a_signal_during_a_step(scene):
    """Its handler runs, and the step over ends where it should."""

    def script():
        thread = scene.wait_stopped()["threadId"]
        for wanted in ("signal.setitimer(signal.ITIMER_REAL, 0.05)", "busy", "after_busy"):
            scene.call("step", thread, "over")
            assert scene.wait_stopped()["reason"] == "step"
            assert scene.where(thread) == wanted, scene.where(thread)
        scene.call("resume", None)

    handled.clear()
    before = signal.signal(signal.SIGALRM, on_signal)
    try:
        scene.break_at("signalled")
        scene.script(script)
        is_signalled()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert handled == [signal.SIGALRM]


def scenario_a_signal_during_a_stop(scene):
    """Its handler runs, and the thread stays where it is."""

    def script():
        thread = scene.wait_stopped()["threadId"]
        os.kill(os.getpid(), signal.SIGALRM)
        assert is_handled.wait(10)
        assert scene.where(thread) == "signalled"
        assert scene.evaluate(thread, lambda: 42) == 42
        scene.call("step", thread, "over")
        assert scene.wait_stopped()["reason"] == "step"
        assert scene.where(thread) == "signal.setitimer(signal.ITIMER_REAL, 0.05)", scene.where(thread)
        scene.call("resume", None)

    handled.clear()
    is_handled.clear()
    before = signal.signal(signal.SIGALRM, on_signal)
    try:
        scene.break_at("signalled")
        scene.script(script)
        is_signalled()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(handled) == 2, handled


def scenario_a_breakpoint_in_a_handler_of_signals(scene):
    def script():
        thread = scene.wait_stopped()["threadId"]
        assert scene.where(thread) == "handler"
        scene.call("step", thread, "out")
        scene.wait_stopped()
        scene.call("resume", None)

    before = signal.signal(signal.SIGALRM, on_signal)
    try:
        scene.break_at("handler")
        scene.script(script)
        is_signalled()
    finally:
        signal.signal(signal.SIGALRM, before)


def exits():
    value = 1  # @exits
    sys.exit(value)


def scenario_a_thread_that_exits_in_a_step(scene):
    def script():
        thread = scene.wait_stopped()["threadId"]
        scene.call("step", thread, "over")
        scene.wait_stopped()
        scene.call("step", thread, "over")

    scene.break_at("exits")
    scene.script(script)
    for _ in range(2):
        thread = threading.Thread(target=exits)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        scene.break_at()
    deadline = time.monotonic() + 10
    while scene.debugger._reports.plans and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not scene.debugger._reports.plans


def forks():
    value = 1  # @forks
    child = os.fork()  # @fork
    if not child:
        value += 1
        os._exit(value + 5)
    _, status = os.waitpid(child, 0)  # @wait
    return status  # @status


def scenario_a_fork_in_a_step(scene):
    def script():
        thread = scene.wait_stopped()["threadId"]
        for wanted in ("fork", "if not child:", "wait", "status"):
            scene.call("step", thread, "over")
            assert scene.wait_stopped()["reason"] == "step"
            assert scene.where(thread) == wanted, scene.where(thread)
        scene.call("resume", None)

    os.register_at_fork(after_in_child=scene.debugger.after_fork_in_child)
    scene.break_at("forks")
    scene.script(script)
    assert os.WEXITSTATUS(forks()) == 7


def leaf(value):
    return value * 2  # @leaf


def profiled():
    total = 0  # @profiled
    for number in range(3):
        total += leaf(number)  # @add
    return total  # @total


def scenario_under_cprofile(scene):
    """Counts are as without us. Since 3.12 it hears of all threads, also of one that ends meanwhile."""
    is_over = threading.Event()

    def script():
        thread = scene.wait_stopped()["threadId"]
        steps = [("over", "for number in range(3):"), ("over", "add"), ("in", "leaf"), ("out", "add")]
        for step, wanted in steps:
            scene.call("step", thread, step)
            assert scene.wait_stopped()["reason"] == "step"
            assert scene.where(thread) == wanted, scene.where(thread)
        scene.call("resume", None)
        assert is_over.wait(20)

    scene.break_at("profiled")
    scene.script(script)
    profile = cProfile.Profile()
    assert profile.runcall(profiled) == 6
    is_over.set()
    rows = pstats.Stats(profile).stats
    assert {name: row[0] for (_, _, name), row in rows.items() if name in ("leaf", "profiled")} == {
        "leaf": 3,
        "profiled": 1,
    }


def scenario_under_setprofile(scene):
    events = []

    def profiler(frame, event, argument):
        if not event.startswith("c_"):
            events.append((event, frame.f_code.co_name))

    def script():
        thread = scene.wait_stopped()["threadId"]
        scene.call("step", thread, "over")
        scene.wait_stopped()
        scene.call("step", thread, "over")
        scene.wait_stopped()
        scene.call("step", thread, "in")
        scene.wait_stopped()
        assert scene.where(thread) == "leaf"
        scene.call("resume", None)

    scene.break_at("profiled")
    scene.script(script)
    sys.setprofile(profiler)
    try:
        profiled()
    finally:
        sys.setprofile(None)
    mine = [each for each in events if each[1] in ("profiled", "leaf")]
    assert mine == [("call", "profiled"), *[("call", "leaf"), ("return", "leaf")] * 3, ("return", "profiled")], mine
    if not INSERTED:  # there our calls, too, are in the program's frames
        assert {name for _, name in events} <= {"profiled", "leaf", "scenario_under_setprofile"}, events


async def ticks():
    try:
        yield 1  # @tick
        yield 2
    finally:
        handled.append("closed")  # @closing


async def abandons():
    value = 1  # @abandons
    async for each in ticks():  # @async_for
        value += each  # @body
        break  # @break
    gc.collect()  # @collect
    return value  # @abandoned


def scenario_an_async_generator_left_to_the_collector(scene):
    import asyncio

    went = []

    def script():
        thread = scene.wait_stopped()["threadId"]
        for _ in range(5):
            scene.call("step", thread, "over")
            scene.wait_stopped()
            went.append(scene.where(thread))
        scene.call("resume", None)

    handled.clear()
    scene.break_at("abandons")
    scene.script(script)
    assert asyncio.run(abandons()) == 2
    assert went == ["async_for", "body", "break", "collect", "abandoned"], went
    if sys.implementation.name == "cpython":  # PyPy may not find it, and its 3.9 then fails to close it
        assert handled == ["closed"]
