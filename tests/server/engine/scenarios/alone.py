"""Stops of one thread while the others run, and threads that run alone while the others are stopped."""

import threading
import time



class Counter:
    """A thread that counts until it is told to end."""

    def __init__(self):
        self.count = 0
        self.running = True
        self.thread = threading.Thread(target=self.run, name="counter", daemon=True)
        self.thread.start()

    def run(self):
        while self.running:
            self.count += 1  # @counting

    def counts(self):
        """Whether it does."""
        before = self.count
        deadline = time.monotonic() + 0.2
        while self.count == before and time.monotonic() < deadline:
            time.sleep(0.001)
        return self.count != before

    def end(self):
        self.running = False
        self.thread.join(20)
        assert not self.thread.is_alive()


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def visit(place):
    found = place * 2  # @first
    found += 1  # @second
    return found  # @third


def turns():
    count = 0  # @begin
    while count < 3:  # @test
        count += 1  # @turn
    return count  # @end


def state(scene, thread):
    return next(info.state for info in scene.call("threads") if info.id == thread)


def stops_all(scene, wanted):
    scene.run(lambda: setattr(scene.debugger, "stops_all", wanted))


def operate(scene, script, *counters):
    """Run the script; whatever comes of it, everything runs on afterwards."""

    def guarded():
        try:
            script()
        finally:
            scene.break_at()
            for counter in counters:
                counter.running = False
            if any(info.state != "running" for info in scene.call("threads")):
                scene.call("resume", None)

    scene.script(guarded)


def visitors(*places):
    threads = [threading.Thread(target=visit, args=(place,), name=f"visitor-{place}") for place in places]
    for thread in threads:
        thread.start()
    return threads


def join(scene, threads):
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    scene._operator.join(20)


def scenario_a_counter_counts_on_beside_a_stop_of_one(scene):
    """And stands still in a stop of all."""
    scene.break_at("first")
    counter = Counter()

    def script():
        for everything in (False, True, False):
            stops_all(scene, everything)
            threads = visitors(1)
            stop = scene.wait_stopped()
            assert stop["allThreadsStopped"] is everything
            assert scene.where(stop["threadId"]) == "first"
            assert state(scene, stop["threadId"]) == "stopped"
            if everything:
                until(lambda: not counter.counts())
            assert counter.counts() is not everything
            scene.call("step", stop["threadId"], "over", single_thread=not everything)
            assert scene.wait_stopped()["allThreadsStopped"] is everything
            scene.call("resume", None if everything else stop["threadId"])
            threads[0].join(20)
            assert counter.counts()

    operate(scene, script, counter)
    join(scene, [])
    counter.end()


def scenario_two_stops_at_once(scene):
    """Each thread has its own: frames, values, steps; none waits for the other."""
    stops_all(scene, False)
    scene.break_at("first", "second")

    def place_in(thread):
        frame = scene.call("frames", thread)[0]
        return scene.evaluate(thread, lambda: frame.frame.f_locals["place"])

    def script():
        one = scene.wait_stopped()["threadId"]
        other = scene.wait_stopped()["threadId"]
        assert {place_in(one), place_in(other)} == {1, 2}
        scene.call("resume", one)
        assert scene.wait_stopped()["threadId"] == one
        assert (scene.where(one), scene.where(other)) == ("second", "first")
        assert {place_in(one), place_in(other)} == {1, 2}
        scene.call("step", one, "over", single_thread=True)
        assert scene.wait_stopped()["threadId"] == one
        assert (scene.where(one), scene.where(other)) == ("third", "first")
        assert state(scene, other) == "stopped"
        scene.break_at()
        for thread in (one, other):  # both at once
            scene.call("step", thread, "over" if thread == other else "return", single_thread=True)
        assert {scene.wait_stopped()["threadId"], scene.wait_stopped()["threadId"]} == {one, other}
        assert (scene.where(one), scene.where(other)) == ("third", "second")

    operate(scene, script)
    join(scene, visitors(1, 2))


def scenario_detaching_lets_all_go(scene):
    stops_all(scene, False)
    scene.break_at("first")
    threads = visitors(1, 2)

    def script():
        assert not scene.wait_stopped()["allThreadsStopped"]
        assert not scene.wait_stopped()["allThreadsStopped"]
        scene.call("detach")

    scene.script(script)
    join(scene, threads)


def scenario_a_pause_of_one(scene):
    stops_all(scene, False)
    scene.break_at("counting", condition="False")  # PyPy reaches no threads that start before that
    counters = [Counter(), Counter()]

    def script():
        named = [info.id for info in scene.call("threads") if info.name == "counter"]
        for thread in named:
            scene.call("pause", thread)
        stops = [scene.wait_stopped(), scene.wait_stopped()]
        assert sorted(stop["threadId"] for stop in stops) == named
        scene.call("resume", named[0])
        until(lambda: state(scene, named[0]) == "running")
        assert sum(counter.counts() for counter in counters) == 1
        scene.call("pause", named[0])
        assert scene.wait_stopped()["threadId"] == named[0]
        scene.call("resume", None)
        assert all(counter.counts() for counter in counters)

    operate(scene, script, *counters)
    join(scene, [])
    for counter in counters:
        counter.end()


def waits(event):
    event.wait(20)
    visit(3)  # @back


def scenario_a_pause_of_one_in_native_code(scene):
    """It is told, lets the others run, and holds the thread when it comes back, which is not told again."""
    stops_all(scene, False)
    scene.break_at("first", condition="False")
    counter, event = Counter(), threading.Event()
    thread = threading.Thread(target=waits, args=(event,), name="waits")
    thread.start()

    def script():
        number = next(info.id for info in scene.call("threads") if info.name == "waits")
        scene.call("pause", number)
        stop = scene.wait_stopped()
        assert (stop["threadId"], stop["allThreadsStopped"]) == (number, False)
        assert "native code" in stop["text"]
        assert state(scene, number) == "native"
        assert counter.counts()
        event.set()
        until(lambda: state(scene, number) == "stopped")
        assert counter.counts()
        scene.call("step", number, "out", single_thread=True)
        assert scene.wait_stopped()["reason"] == "step"
        scene.call("pause", number)  # it is held
        scene.call("resume", number)

    operate(scene, script, counter)
    join(scene, [thread])
    counter.end()


def scenario_a_thread_that_runs_alone_can_be_paused(scene):
    """When it ends instead, the others are shown: nothing would run any more."""
    scene.break_at("first")
    counter = Counter()
    ends = threading.Thread(target=visit, args=(4,), name="ends")

    def script():
        until(counter.counts)
        ends.start()
        number = scene.wait_stopped()["threadId"]
        counting = next(info.id for info in scene.call("threads") if info.name == "counter")
        until(lambda: state(scene, counting) == "stopped")
        scene.call("resume", counting)
        until(counter.counts)
        scene.call("pause", None)
        assert scene.wait_stopped()["threadId"] == counting
        until(lambda: not counter.counts())
        scene.call("resume", number)
        ends.join(20)
        scene.call("pause", None)
        stop = scene.wait_stopped()
        assert (stop["threadId"], stop["allThreadsStopped"]) == (counting, True)

    operate(scene, script, counter)
    join(scene, [])
    counter.end()


def scenario_steps_alone_end_where_others_do(scene):
    """Though every thread that runs is looked at meanwhile."""
    scene.break_at("begin")
    ends = []

    def script():
        for alone in (True, False):
            thread = threading.Thread(target=turns)
            thread.start()
            number = scene.wait_stopped()["threadId"]
            found = ["begin"]
            while found[-1] != "end":
                scene.call("step", number, "over", single_thread=alone)
                scene.wait_stopped()
                found.append(scene.where(number))
            ends.append(found)
            scene.call("resume", None)
            thread.join(20)

    operate(scene, script)
    join(scene, [])
    assert ends[0] == ends[1] == ["begin", *3 * ["test", "turn"], "test", "end"], ends
