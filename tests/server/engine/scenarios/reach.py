"""Where breakpoints have to be hit: code of every kind, running, suspended, blocked, not there yet."""

import asyncio
import os
import sys
import tempfile
import threading


def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def wait_until(condition):
    """Wait for another thread to come to a place that nobody is told of."""
    import time

    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def needs_reach(scenario):
    """PyPy has no way into threads that run already, but for the main one."""
    if sys.implementation.name == "pypy":
        scenario.skip = "no way into running threads"
    return scenario


running = True


def busy():
    turns = 0
    while running:
        turns += 1  # @busy
        turns += 0
    return turns


@needs_reach
def scenario_code_that_runs_already_in_another_thread(scene):
    global running
    running = True
    thread = in_thread(busy)

    def script():
        scene.break_at("busy")
        for _ in range(3):
            thread_id = scene.wait_stopped()["threadId"]
            assert scene.where(thread_id) == "busy"
            scene.call("resume", None)
        scene.wait_stopped()
        scene.break_at()
        globals()["running"] = False
        scene.call("resume", None)

    scene.script(script)
    thread.join(10)
    assert not thread.is_alive()


def scenario_code_that_runs_already_in_the_main_thread(scene):
    global running
    running = True

    def script():
        scene.break_at("busy")
        assert scene.where(scene.wait_stopped()["threadId"]) == "busy"
        globals()["running"] = False
        scene.call("resume", None)

    scene.script(script)
    busy()


@needs_reach
def scenario_a_frame_that_waits_in_c(scene):
    read, write = os.pipe()

    def reader():
        os.read(read, 1)
        value = 1  # @after_read
        return value

    thread = in_thread(reader)
    wait_until(lambda: thread.is_alive())
    hits = scene.count_hits("after_read")
    os.write(write, b"x")
    thread.join(10)
    os.close(read)
    os.close(write)
    assert hits() == [1]


@needs_reach
def scenario_all_frames_of_a_recursion(scene):
    deep, go = threading.Event(), threading.Event()

    def recurse(depth):
        if depth == 0:
            deep.set()
            go.wait(10)
            return
        recurse(depth - 1)
        depth += 1  # @unwinding

    thread = in_thread(recurse, 100)
    deep.wait(10)
    hits = scene.count_hits("unwinding")
    go.set()
    thread.join(10)
    assert hits() == [100]


def scenario_suspended_generators(scene):
    def generate():
        yield 1
        value = 1  # @resumed
        yield value
        value = 2  # @again

    def guarded():
        try:
            yield 1
        except ValueError:
            value = 1  # @thrown_into
        yield value

    source, other = generate(), guarded()
    next(source)
    next(other)
    hits = scene.count_hits("resumed", "again", "thrown_into")
    next(source)
    list(source)
    other.throw(ValueError())
    assert hits() == [1, 1, 1]


def scenario_suspended_coroutines(scene):
    async def work():
        await asyncio.sleep(0.01)
        value = 1  # @woken
        return value

    async def main():
        tasks = [asyncio.ensure_future(work()) for _ in range(3)]
        await asyncio.sleep(0)
        hits.append(scene.count_hits("woken"))
        await asyncio.gather(*tasks)

    hits = []
    asyncio.run(main())
    assert hits[0]() == [3]


def scenario_a_module_that_is_imported_later(scene):
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "remora_late.py")
    with open(path, "w") as file:
        file.write("import os\nvalue = 1\ndef function():\n    return value\nclass Thing:\n    other = 2\nfunction()\n")
    from remora._stopping._breakpoints import SourceBreakpoint

    specs = [SourceBreakpoint(line, log_message="hit") for line in (1, 2, 4, 6)]
    answer = scene.call("set_breakpoints", path, specs)
    assert [(found.verified, found.reason) for found in answer] == [(False, "pending")] * 4
    sys.path.insert(0, folder)
    try:
        import remora_late

        remora_late.function()
        lines = []
        changed = {}
        for _ in range(scene.events.qsize()):
            event, body = scene.events.get()
            if event == "output":
                lines.append(body["line"])
            elif event == "breakpoint":
                changed[body["breakpoint"]["id"]] = body["breakpoint"]
        assert lines == [1, 2, 6, 4, 4], lines
        assert [changed[found.id]["verified"] for found in answer] == [True] * 4
        assert changed[answer[0].id]["source"]["path"] == path
        scene.call("set_breakpoints", path, [])
    finally:
        sys.path.remove(folder)
        del sys.modules["remora_late"]


def scenario_code_that_is_executed_from_text(scene):
    from remora._stopping._breakpoints import SourceBreakpoint

    specs = [SourceBreakpoint(2, log_message="hit")]
    scene.call("set_breakpoints", "made_up.py", specs)
    for _ in range(3):
        exec(compile("a = 1\nb = 2\n", "made_up.py", "exec"), {})
    lines = [body["line"] for event, body in scene.pending_events() if event == "output"]
    assert lines == [2, 2, 2], lines


def scenario_functions_made_before_and_after(scene):
    def outer(value):
        def inner():
            return value  # @nested

        return inner

    before = outer(1)
    hits = scene.count_hits("nested")
    after = outer(2)
    before()
    after()
    assert hits() == [2]


def plain(function):
    return function


def scenario_every_kind_of_line(scene):
    def one_line(): return 1  # @one_line

    one_lambda = lambda: (1)  # @lambda_line

    class Thing:
        @property
        def got(self): return 1  # @property_line

        @staticmethod
        def static():
            return 1  # @static_line

    def statements(limit):
        total = max(1,  # @several_lines
                    abs(
                        2))
        for number in range(limit):  # @header
            total += number
        while limit: limit -= 1  # @one_line_while
        squares = [number for number in range(4)]  # @comprehension
        try:
            total += 1
        finally:
            total += 1  # @in_finally
        try: raise KeyError
        except KeyError:  # @in_except
            pass
        return squares

    markers = [
        "one_line", "lambda_line", "property_line", "static_line", "several_lines", "header",
        "one_line_while", "comprehension", "in_finally", "in_except",
    ]
    hits = scene.count_hits(*markers)
    one_line()
    one_lambda()
    Thing().got
    Thing.static()
    statements(3)
    found = dict(zip(markers, hits()))
    # The loop's header is come back to after each turn; a `while` on one line is a line per turn.
    assert found.pop("header") == 4
    assert found.pop("one_line_while") in (3, 4)  # some versions test at the loop's end, on the way back
    comprehension = found.pop("comprehension")
    assert comprehension == 1 or sys.version_info < (3, 12), comprehension
    assert set(found.values()) == {1}, found


def scenario_threads_that_start_later(scene):
    def work():
        value = 1  # @in_new_thread
        return value

    hits = scene.count_hits("in_new_thread")
    threads = [in_thread(work) for _ in range(3)]
    for thread in threads:
        thread.join(10)
    assert hits() == [3]


def scenario_every_turn_of_a_loop_while_others_come_and_go(scene):
    """Arming a code object anew must not lose hits of the breakpoints that it has already."""
    from remora._stopping._breakpoints import SourceBreakpoint

    first, second = scene.line("steady"), scene.line("coming")
    kept = SourceBreakpoint(first, condition="counts.append(turn)")
    done = threading.Event()
    counts = []

    def toggle():
        while not done.is_set():
            for specs in ([kept], [kept, SourceBreakpoint(second, condition="False")]):
                scene.call("set_breakpoints", scene.path, specs)

    def loop(turns):
        for turn in range(turns):
            turn += 0  # @steady
            turn += 1  # @coming
        return counts

    scene.call("set_breakpoints", scene.path, [kept])
    loop(1)
    counts.clear()
    scene.script(toggle)
    loop(3000)
    done.set()
    assert counts == list(range(3000)), (len(counts), counts[:5])
