"""What is done by ctypes, and what happens without it. Run as `python native_checks.py NAME`."""

# ruff: noqa: PT017

import gc
import sys
import threading
import time

from remora._interpreter import _native

UP_TO_311 = sys.version_info < (3, 12)


def until(condition, seconds=20):
    """Wait for what another thread does; the deadline is for broken code only."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.001)


class Busy:
    """A thread that runs bytecode until it is told to stop."""

    def __init__(self, around=lambda work: work()):
        self.stop = False
        self.turns = 0
        self.ended_by = None
        self.thread = threading.Thread(daemon=True, target=self._run, args=(around,))

    def _run(self, around):
        try:
            around(self._work)
        except BaseException as error:
            self.ended_by = error

    def _work(self):
        while not self.stop:
            self._turn()

    def _turn(self):
        self.turns += 1

    def __enter__(self):
        self.thread.start()
        until(lambda: self.turns)
        return self

    def __exit__(self, *what):
        self.stop = True
        self.thread.join()


def check_what_there_is():
    for name in _native.__all__:
        assert getattr(_native, name) is not None, name
        assert name in vars(_native)
    try:
        print(_native.something_else)
    except AttributeError as error:
        assert "something_else" in str(error)


def check_ctypes_is_imported_when_needed():
    assert "ctypes" not in sys.modules
    assert _native.set_constant
    assert "ctypes" in sys.modules


def check_everything_is_none_without_ctypes():
    sys.modules["ctypes"] = None
    assert [getattr(_native, name) for name in _native.__all__] == [None] * len(_native.__all__)


def check_everything_is_none_with_an_unusable_ctypes():
    import ctypes

    del ctypes.pythonapi
    assert [getattr(_native, name) for name in _native.__all__] == [None] * len(_native.__all__)


def check_locals():
    def program(a):
        shared = 1

        def inner():
            return shared

        frame = sys._getframe()
        frame.f_locals.update(a=5, shared=6, new=7)
        _native.write_back_locals(frame)
        return a, inner()

    assert program(1) == (5, 6)


def check_constants():
    def program():
        return 12345

    class Value:
        pass

    code = program.__code__
    place = code.co_consts.index(12345)
    for _ in range(1000):
        value = Value()
        _native.set_constant(code, place, value)
        assert program() is value
    assert sys.getrefcount(value) == 3  # `value`, the constant, the argument
    gc.collect()
    assert sum(type(one) is Value for one in gc.get_objects()) == 1
    _native.set_constant(code, place, 1)
    assert sys.getrefcount(value) == 2


def check_raising_in_a_thread():
    class Stop(BaseException):
        pass

    with Busy() as busy:
        assert _native.raise_in_thread(busy.thread.ident, Stop)
        busy.thread.join(20)
        assert type(busy.ended_by) is Stop
    assert not _native.raise_in_thread(busy.thread.ident, Stop)


def check_raising_in_a_thread_is_taken_back():
    class Stop(BaseException):
        pass

    here = threading.get_ident()
    try:
        # In one expression, and without a switch between: the first bytecode after it would raise.
        list(map(_native.raise_in_thread, (here, here), (Stop, None)))
    except Stop:
        pass  # which it may do even so: the wrapper is bytecode, too
    assert _native.raise_in_thread(here, None)
    assert sum(range(1000)) == 499500


def check_other_threads_start_tracing():
    seen = set()
    former = {}

    def tracer(frame, event, argument):
        seen.add(threading.get_ident())
        return tracer

    def start(frame, what, argument):
        former[threading.get_ident()] = sys.gettrace()
        sys.settrace(tracer)

    def own_tracer(frame, event, argument):
        return own_tracer

    def with_own_tracer(work):
        sys.settrace(own_tracer)
        work()

    others = _native.OtherThreads(start)
    with Busy() as one, Busy(with_own_tracer) as two:
        others.start()
        until(lambda: len(seen) == 2)
        assert former == {one.thread.ident: None, two.thread.ident: own_tracer}
        assert sys.gettrace() is None
        others.stop(tracer)
        for _ in range(2):  # the first time, a thread may have been inside the tracer when it was stopped
            seen.clear()
            turns = one.turns, two.turns
            until(lambda turns=turns: one.turns > turns[0] + 10 and two.turns > turns[1] + 10)
        assert not seen


def check_waiting_threads_get_their_tracer_back():
    lock = threading.Lock()
    lock.acquire()
    events = []
    waits = threading.Event()

    def tracer(frame, event, argument):
        events.append(event)
        return tracer

    def wait():
        sys.settrace(tracer)
        waits.set()
        lock.acquire()
        after()

    def after():
        pass

    thread = threading.Thread(daemon=True, target=wait)
    thread.start()
    waits.wait()
    others = _native.OtherThreads(lambda frame, what, argument: events.append("start"))
    others.start()
    others.start()
    others.stop()
    events.clear()
    lock.release()
    thread.join()
    assert events[:1] != ["start"]
    assert "call" in events


def check_threads_come_and_go_meanwhile():
    end = time.monotonic() + 2
    started = []

    def tracer(frame, event, argument):
        return tracer

    def work():
        for n in range(20):
            started.append(n)

    def churn():
        while time.monotonic() < end:
            thread = threading.Thread(daemon=True, target=work)
            thread.start()
            thread.join()

    others = _native.OtherThreads(lambda frame, what, argument: sys.settrace(tracer))
    threads = [threading.Thread(daemon=True, target=churn) for _ in range(3)]
    for thread in threads:
        thread.start()
    turns = 0
    while time.monotonic() < end:
        others.start()
        others.stop(tracer)
        turns += 1
    for thread in threads:
        thread.join()
    assert turns > 100


if __name__ == "__main__":
    globals()[sys.argv[1]]()
