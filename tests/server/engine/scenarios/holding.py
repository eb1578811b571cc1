"""Stops and what can be done during them: pause, threads, evaluation, jumps, Ctrl-C, detaching."""

import os
import signal
import sys
import threading
import time

from remora_protocol import RequestFailed


class Workers:
    """Threads that count, until they are told to end."""

    def __init__(self, count):
        self.counts = [0] * count
        self.running = True
        self.threads = [threading.Thread(target=self.count, args=(place,), daemon=True) for place in range(count)]
        for thread in self.threads:
            thread.start()

    def count(self, place):
        while self.running:
            self.counts[place] += 1  # @counting

    def are_held(self, scene):
        held = {info.ident for info in scene.call("threads") if info.state == "stopped"}
        return held.issuperset(thread.ident for thread in self.threads)

    def end(self):
        self.running = False
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def scenario_all_threads_stand_still_and_run_on(scene):
    pypy = sys.implementation.name == "pypy"
    if pypy:
        scene.break_at("counting", condition="False")  # threads that start before anything is set are out of reach
    workers = Workers(3)
    until(lambda: all(workers.counts))

    def script():
        try:
            scene.call("pause", None)
            body = scene.wait_stopped()
            assert body["reason"] == "pause"
            assert body["allThreadsStopped"]
            until(lambda: workers.are_held(scene))
            counts = list(workers.counts)
            time.sleep(0.05)
            assert counts == workers.counts
            scene.call("resume", None)
            until(lambda: all(now > then for now, then in zip(workers.counts, counts)))
        finally:
            workers.running = False

    scene.script(script)
    scene._operator.join(20)
    workers.end()


def scenario_pause_while_everything_is_in_c(scene):
    done = threading.Event()

    def script():
        while True:  # until it has come as far as the wait
            scene.call("pause", 1)
            body = scene.wait_stopped()
            if "text" in body:
                break
            scene.call("resume", None)
        assert body["threadId"] == 1
        assert "native code" in body["text"], body
        (info,) = [info for info in scene.call("threads") if info.id == 1]
        assert info.state == "native", info
        assert any(frame.name.endswith("everything_is_in_c") for frame in scene.call("frames", 1))
        try:
            scene.call("step", 1, "over")
        except RequestFailed as error:
            assert error.code == "not-stopped"
        else:
            raise AssertionError("stepped a thread that is inside C")
        done.set()
        until(lambda: any(info.id == 1 and info.state == "stopped" for info in scene.call("threads")))
        scene.call("resume", None)

    scene.script(script)
    done.wait(20)


def scenario_pause_of_a_thread_that_is_out_of_reach(scene):
    """It is not said to be in native code, since it runs."""
    workers = Workers(1)
    until(lambda: all(workers.counts))

    def script():
        number = next(info.id for info in scene.call("threads") if info.id != 1)
        scene.call("pause", number)
        stop = scene.wait_stopped()
        workers.running = False
        scene.call("resume", None)
        if sys.implementation.name == "pypy":
            assert "out of this Python's reach, in " in stop["text"], stop
        else:
            assert "text" not in stop, stop

    scene.script(script)
    scene._operator.join(20)
    workers.end()


def scenario_one_thread_alone(scene):
    pypy = sys.implementation.name == "pypy"
    if pypy:
        scene.break_at("counting", condition="False")
    workers = Workers(2)
    until(lambda: all(workers.counts))

    def script():
        try:
            scene.break_at("counting")
            thread = scene.wait_stopped()["threadId"]
            until(lambda: workers.are_held(scene))
            before = list(workers.counts)
            for _ in range(5):
                scene.call("step", thread, "over", single_thread=True)
                assert scene.wait_stopped()["threadId"] == thread
            moved = [now - then for now, then in zip(workers.counts, before)]
            assert sorted(moved)[0] == 0, moved
            assert sorted(moved)[1] > 0, moved
        finally:
            scene.break_at()
            workers.running = False
            scene.call("resume", None)

    scene.script(script)
    scene._operator.join(20)
    workers.end()


def scenario_two_threads_at_one_breakpoint(scene):
    """The second is not lost: it stops when the first goes on."""
    barrier = threading.Barrier(2)

    def work():
        barrier.wait(10)
        value = 1  # @both
        return value

    seen = set()

    def script():
        for _ in range(2):
            body = scene.wait_stopped()
            assert body["reason"] == "breakpoint"
            seen.add(body["threadId"])
            scene.call("resume", None)

    scene.break_at("both")
    scene.script(script)
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(seen) == 2


def held(value):
    other = value + 1
    total = value + other  # @held
    return total  # @held_return


def scenario_evaluation_on_the_held_thread(scene):
    ident = threading.get_ident()
    scene.break_at("held")

    def script():
        thread = scene.wait_stopped()["threadId"]
        frame = scene.call("frames", thread)[0]
        assert (frame.name.rpartition(".")[2], frame.line) == ("held", scene.line("held"))
        assert scene.call("frame", frame.id) is frame
        assert scene.evaluate(thread, threading.get_ident) == ident
        try:
            scene.evaluate(thread, lambda: 1 / 0)
        except ZeroDivisionError:
            pass
        # What is evaluated may come by the same breakpoint, which must not hold a thread that is held.
        assert scene.evaluate(thread, lambda: held(5)) == 11
        from remora._interpreter import _frames

        scene.evaluate(thread, lambda: _frames.set_local(frame.frame, "other", 100))
        scene.call("resume", None)
        try:
            scene.call("frame", frame.id)
        except RequestFailed as error:
            assert error.code == "not-found"
        else:
            raise AssertionError("the frame is still there")

    scene.script(script)
    assert held(1) == 101


def scenario_an_evaluation_that_takes_too_long(scene):
    if sys.implementation.name == "pypy":
        return
    scene.break_at("held")

    def script():
        thread = scene.wait_stopped()["threadId"]

        def endless():
            while True:
                pass

        try:
            scene.evaluate(thread, endless, timeout=0.05)
        except RequestFailed as error:
            assert error.code == "cancelled"
        else:
            raise AssertionError("it ended")
        assert scene.evaluate(thread, lambda: 5, timeout=5) == 5
        scene.call("resume", None)

    scene.script(script)
    assert held(1) == 3


def jumped():
    log = []
    log.append("one")  # @jump_from
    log.append("two")  # @jump_back
    for _ in range(1):
        log.append("in")  # @jump_into
    log.append("three")  # @jump_to
    return log


def scenario_jumps(scene):
    scene.break_at("jump_from")

    def script():
        thread = scene.wait_stopped()["threadId"]
        scene.call("goto", thread, scene.line("jump_to"))
        body = scene.wait_stopped()
        assert body["reason"] == "goto"
        assert scene.where(thread) == "jump_to"
        scene.call("goto", thread, scene.line("jump_back"))
        scene.wait_stopped()
        assert scene.where(thread) == "jump_back"
        answers = []
        scene.call("goto", thread, scene.line("jump_into"), lambda *both: answers.append(both))
        until(lambda: answers)
        assert isinstance(answers[0][1], RequestFailed)
        assert "for" in answers[0][1].text or "loop" in answers[0][1].text, answers
        scene.call("step", thread, "over")
        scene.wait_stopped()
        scene.call("resume", None)

    scene.script(script)
    result = jumped()
    assert result == ["two", "in", "three"], result


def called_within():
    return 1  # @called_within


def calls_within():
    value = called_within() + 1
    return value  # @after_within


def scenario_jumps_from_the_middle_of_a_line(scene):
    scene.break_at("called_within")

    def script():
        thread = scene.wait_stopped()["threadId"]
        scene.call("step", thread, "out")
        scene.wait_stopped()
        answers = []
        scene.call("goto", thread, scene.line("after_within"), lambda *both: answers.append(both))
        until(lambda: answers)
        if answers[0][1] is None:  # some Pythons can
            scene.call("goto", thread, scene.line("after_within") - 1)
            scene.wait_stopped()
        else:
            assert answers[0][1].text.startswith("Nothing can jump from the middle of a line"), answers
        scene.break_at()
        scene.call("resume", None)

    scene.script(script)
    assert calls_within() == 2


def runs_again(value):
    value += 1  # @again_first
    calls.append(value)
    return value  # @again_last


calls = []


def generates_again():
    yield 1  # @again_yield


def scenario_running_a_call_again(scene):
    """From its first line, with its variables as they are; not a generator, nor a call that waits."""
    scene.break_at("again_last", "again_yield")

    def script():
        thread = scene.wait_stopped()["threadId"]
        newest, caller = scene.call("frames", thread)[:2]
        try:
            scene.call("restart", caller)
        except RequestFailed as error:
            assert "newest" in error.text
        else:
            raise AssertionError
        scene.call("restart", newest)
        assert scene.wait_stopped()["reason"] == "restart"
        assert scene.where(thread) == "again_first"
        scene.call("resume", None)
        scene.wait_stopped()
        scene.call("resume", None)
        thread = scene.wait_stopped()["threadId"]
        try:
            scene.call("restart", scene.call("frames", thread)[0])
        except RequestFailed as error:
            assert "generator" in error.text
        else:
            raise AssertionError
        scene.call("resume", None)

    scene.script(script)
    calls.clear()
    assert runs_again(1) == 3
    assert calls == [2, 3]
    assert list(generates_again()) == [1]


def scenario_break_here(scene):
    def program(last):
        value = 1
        scene.debugger.break_here(sys._getframe())
        if not last:
            value = 2  # @after_call
        return value

    def at_the_end():
        scene.debugger.break_here(sys._getframe())  # @nothing_after

    def script():
        thread = scene.wait_stopped()["threadId"]
        assert scene.where(thread).startswith("if not last")
        scene.call("resume", None)
        body = scene.wait_stopped()
        assert (body["reason"], scene.where(thread)) == ("breakpoint", "nothing_after")
        assert scene.call("stop_info", thread).returned.value is None
        scene.call("resume", None)

    scene.script(script)
    program(False)
    at_the_end()


def scenario_ctrl_c_ends_the_wait(scene):
    if not hasattr(signal, "pthread_kill"):
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    scene.break_at("held")

    def script():
        scene.wait_stopped()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        assert scene.wait("continued")["allThreadsContinued"]

    scene.script(script)
    try:
        held(1)
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("the program did not get it")
    scene.finish()
    scene.break_at()
    assert held(1) == 3


def entries(error):
    """The functions in its traceback, once each and from here on, for it may be raised where it is held."""
    names = []
    found = error.__traceback__.tb_next
    while found is not None:
        path = found.tb_frame.f_code.co_filename
        assert path == __file__, f"{path}:{found.tb_lineno}"
        assert found.tb_lineno
        if names[-1:] != [found.tb_frame.f_code.co_name]:
            names.append(found.tb_frame.f_code.co_name)
        found = found.tb_next
    return names


def calls_held(n):
    result = held(n)  # @calls_held
    return result


def asks(n):
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    return n > 5


def scenario_ctrl_c_shows_nothing_of_ours(scene):
    """Neither where it comes at a stop, of whatever kind, nor in a condition; and all is as before then."""
    if not hasattr(signal, "pthread_kill"):
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupted(stop):
        def script():
            thread = scene.wait_stopped()["threadId"]
            for step in stop:
                scene.call("step", thread, step)
                assert scene.wait_stopped()["reason"] == "step"
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            assert scene.wait("continued")["allThreadsContinued"]

        scene.script(script)
        try:
            calls_held(1)
        except KeyboardInterrupt as error:
            found = entries(error)
        else:
            raise AssertionError("the program did not get it")
        scene.finish()
        return found

    for marker, steps, names in (
        ("held", [], ["calls_held", "held"]),
        ("held", ["over"], ["calls_held", "held"]),
        ("calls_held", ["in"], ["calls_held", "held"]),
        ("held", ["return"], ["calls_held"]),
        ("held", ["out"], ["calls_held"]),
    ):
        scene.break_at(marker)
        found = interrupted(steps)
        assert found[: len(names)] == names, (marker, steps, found)
    scene.break_at("held", condition="asks(value)")
    for _ in range(2):
        until = time.monotonic() + 5
        while scene.debugger.engine_name == "settrace" and sys.gettrace() is None and time.monotonic() < until:
            time.sleep(0.01)  # what the one before has taken out is coming back
        try:
            calls_held(1)
        except KeyboardInterrupt as error:
            assert entries(error) == ["calls_held", "held", "asks"], entries(error)
        else:
            raise AssertionError("the program did not get it")
    scene.break_at()
    assert calls_held(1) == 3


def scenario_a_hook_that_was_left_by_an_interrupt_is_called_again(scene):
    if scene.debugger.engine_name != "inserted":
        return
    # An interrupt can come at any moment, also where a hook is about to take back that it is being run.
    scene.debugger._engine.inside.add(threading.get_ident())
    scene.break_at("held")

    def script():
        scene.wait_stopped()
        scene.call("resume", None)

    scene.script(script)
    assert held(1) == 3
    scene.finish()
    assert not scene.debugger._engine.inside


def scenario_detaching_lets_everything_go(scene):
    scene.break_at("held")

    def script():
        scene.wait_stopped()
        scene.call("detach")

    scene.script(script)
    assert held(1) == 3
    scene.attach()
    assert held(1) == 3


def scenario_nothing_is_traced_before_something_is_set(scene):
    assert sys.gettrace() is None
    if sys.version_info >= (3, 12):
        assert not any(sys.monitoring.get_events(tool) for tool in (3, 4))


def scenario_a_fork_is_not_debugged(scene):
    if not hasattr(os, "fork"):
        return
    scene.break_at("held")
    child = os.fork()
    if not child:
        code = 1
        try:
            scene.debugger.after_fork_in_child()
            code = 0 if held(1) == 3 and sys.gettrace() is None else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def scenario_the_programs_own_tracer_comes_back(scene):
    lines = []

    def tracer(frame, event, argument):
        if event == "line":
            lines.append(frame.f_lineno)
        return tracer

    def script():
        scene.break_at("held")
        ready.set()
        scene.wait_stopped()
        scene.break_at()
        scene.call("resume", None)

    ready = threading.Event()
    sys.settrace(tracer)
    try:
        scene.script(script)
        ready.wait(20)
        held(1)
        scene.finish()
        assert sys.gettrace() is tracer
        lines.clear()
        held(1)
        assert lines, "it is installed but not called"
    finally:
        sys.settrace(None)


def add_one(number):
    return number + 1  # @add


def computes():
    value = 1  # @compute
    value = add_one(value) + add_one(2)  # @calls
    return value  # @computed


def scenario_steps_by_instruction(scene):
    """Within a line, into a call, over it, and out of it; what has been put into the code does not show."""
    scene.break_at("compute", "calls", "computed")
    places = []

    def script():
        thread = scene.wait_stopped()["threadId"]

        def step(kind):
            scene.call("step", thread, kind, by_instruction=True)
            body = scene.wait_stopped()
            frame = scene.call("frames", thread)[0]
            code, offset = scene.call("place_of", frame)
            assert code.co_name == frame.name.rpartition(".")[2]
            if body["reason"] == "step":
                assert body["remora"]["instruction"].partition(" ")[0].isdecimal()
            return scene.where(thread), offset

        scene.call("resume", None)
        scene.wait_stopped()
        places.append(scene.where(thread))
        before = -1
        for _ in range(2):
            where, offset = step("over")
            assert (where, offset > before) == ("calls", True), (where, offset, before)
            before = offset
        while where == "calls":
            where, offset = step("in")
        places.append(where)
        before = -1
        while where == "add":
            assert offset > before
            before = offset
            where, offset = step("over")
        places.append(where)
        while where == "calls":
            where, offset = step("over")
        places.append(where)
        scene.call("resume", None)

    scene.script(script)
    assert computes() == 5
    scene.finish()
    assert places == ["calls", "add", "calls", "computed"], places


def dive(depth):
    if depth:
        return dive(depth - 1)
    return "bottom"  # @bottom


def deepest():
    """How deep a program can go from here."""
    found = 0
    for depth in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit()):
        try:
            dive(depth)
        except RecursionError:
            break
        found = depth
    return found


def scenario_at_the_end_of_the_stack(scene):
    """There a breakpoint may be passed by, and the program goes on; but for the very last calls there are."""
    depth = deepest() - 4
    hits = scene.count_hits("bottom")
    for less in range(60):
        assert dive(depth - less) == "bottom", less
    assert hits()[0] > 20


class Early(threading.Thread):
    """Waits before it tells `threading` that it has begun."""

    begun, may_go_on = threading.Event(), threading.Event()

    def _bootstrap_inner(self):
        self.begun.set()
        self.may_go_on.wait(20)
        super()._bootstrap_inner()


def scenario_a_thread_that_has_just_begun_has_its_name(scene):
    def script():
        try:
            assert Early.begun.wait(20)
            assert "early" in [info.name for info in scene.call("threads")]
        finally:
            Early.may_go_on.set()

    scene.script(script)
    thread = Early(name="early")
    thread.start()
    thread.join()
