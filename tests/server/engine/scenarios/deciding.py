"""What reaching a breakpoint leads to: conditions, counts, messages, threads, single use."""

import contextlib
import asyncio
import sys
import threading

from remora._stopping._breakpoints import SourceBreakpoint
from remora._stopping._conditions import Expression


def loop(turns):
    numbers = []
    for number in range(turns):
        numbers.append(number)  # @body
    return numbers  # @end


def stops(scene, **options):
    """The values of `number` at which a loop of 20 turns is stopped, and the texts of the stops."""
    found = []
    texts = []
    scene.break_at("body", **options)

    def script():
        while True:
            event, body = scene.events.get(timeout=20)
            scene.seen.append((event, body))
            if event == "stopped":
                frame = scene.call("frames", body["threadId"])[0]
                found.append(scene.evaluate(body["threadId"], lambda: frame.frame.f_locals["number"]))
                texts.append(body.get("text"))
                scene.call("resume", None)
            elif event == "ended":
                return

    scene.script(script)
    loop(20)
    scene.events.put(("ended", {}))
    scene.finish()
    return found, texts


def scenario_conditions(scene):
    assert stops(scene, condition="number % 7 == 3")[0] == [3, 10, 17]


def scenario_conditions_on_locals_in_inner_scopes(scene):
    condition = "any(number == wanted for wanted in (2, 5)) and (lambda x: x == number)(number)"
    assert stops(scene, condition=condition)[0] == [2, 5]


def scenario_conditions_that_bind_names_of_locals(scene):
    condition = "[number for number in (1, 2)] == [1, 2] and number == 4"
    assert stops(scene, condition=condition)[0] == [4]


def is_three(value):
    result = value == 3  # @compare
    return result


def scenario_conditions_that_run_into_breakpoints(scene):
    """They are not stopped in, and do not count: neither at their own breakpoint nor at another."""
    found = []
    conditions = {"body": "is_three(number)", "compare": "is_three(value)"}
    specs = [SourceBreakpoint(scene.line(marker), condition=text) for marker, text in conditions.items()]
    scene.call("set_breakpoints", scene.path, specs)

    def script():
        while True:
            event, body = scene.events.get(timeout=20)
            if event == "stopped":
                found.append((scene.where(body["threadId"]), body.get("text")))
                scene.call("resume", None)
            elif event == "ended":
                return

    scene.script(script)
    loop(5)
    is_three(3)
    is_three(4)
    scene.events.put(("ended", {}))
    scene.finish()
    assert found == [("body", None), ("compare", None)], found


PYPY = sys.implementation.name == "pypy"
asked, waiting = [], []


def is_awaited(number):
    asked.append(number)
    while waiting:
        pass
    return False


def scenario_conditions_are_not_stopped_in_by_a_pause(scene):
    """Nor what else is ours: the thread is held when it is the program's again."""

    def script():
        try:
            for number in range(3):  # the first is asked in another way than those that follow
                while len(asked) <= number:
                    pass
                scene.call("pause", 1)
                stop = scene.wait_stopped()
                assert "The thread runs, just now in is_awaited" in stop["text"] or PYPY, (number, stop)
                waiting.clear()
                while scene.call("threads")[0].state != "stopped":
                    pass
                assert scene.call("frames", 1)[0].name == "loop"
                waiting.append(1)
                scene.call("resume", None)
        finally:
            waiting.clear()

    waiting.append(1)
    scene.break_at("body", condition="is_awaited(number)")
    scene.script(script)
    loop(3)


def scenario_conditions_in_several_threads(scene):
    """Each sees its own; none is missed while another one is in the middle of it."""
    hits = scene.count_hits()
    scene.break_at("body", condition="number % 1000 == 999", log_message="{number}")
    threads = [threading.Thread(target=loop, args=(20000,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hits()
    numbers = [body["output"].strip() for event, body in scene.seen if event == "output"]
    assert sorted(numbers) == sorted([str(n) for n in range(999, 20000, 1000)] * 4), len(numbers)


def shared_line(turns):
    for number in range(turns):
        any(number + inner < 0 for inner in range(3))  # @shared


def scenario_a_condition_on_a_line_of_several_code_objects(scene):
    """It is compiled once for each, however they take turns, and asked in the right one by each thread."""
    scene.break_at("shared", condition="number < 0")
    made = []
    make_for = Expression._make_for
    Expression._make_for = lambda self, frame: made.append(frame.f_code.co_name) or make_for(self, frame)
    try:
        threads = [threading.Thread(target=shared_line, args=(2000,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        Expression._make_for = make_for
    assert scene.events.empty(), scene.events.get()
    assert made.count("shared_line") <= 3, made  # threads may come at the same time
    assert len(made) <= 6, made


def scenario_a_condition_that_changes_while_it_is_asked(scene):
    def script():
        line = scene.line("body")
        try:
            for wanted in range(5):
                for condition in ("number < 0", f"number > {wanted}"):
                    specs = [SourceBreakpoint(line, condition=condition)]
                    scene.call("set_breakpoints", scene.path, specs)
                stop = scene.wait_stopped()
                frame = scene.call("frames", stop["threadId"])[0]
                assert scene.evaluate(stop["threadId"], lambda: frame.frame.f_locals["number"]) > wanted
                scene.break_at("body", condition="number < 0")
                scene.call("resume", None)
        finally:
            ended.append(1)

    ended = []
    scene.script(script)
    while not ended:
        loop(1000)


async def waits(number):
    await asyncio.sleep(3600 if number == 2 else 0)  # @waits
    return number


def scenario_a_condition_where_an_await_is_left_by_an_exception(scene):
    """That the interpreter tidies up there is no further coming to the line."""

    async def main():
        task = asyncio.ensure_future(waits(2))
        await asyncio.sleep(0)
        scene.break_at("waits", condition="number < 3", log_message="{number}")
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
    written = [body["output"].strip() for event, body in scene.pending_events() if event == "output"]
    assert not written, written


def scenario_hit_counts(scene):
    expected = {
        "== 3": [2],
        "= 3": [2],
        "3": [2],
        ">= 18": [17, 18, 19],
        "> 18": [18, 19],
        "< 3": [0, 1],
        "<= 3": [0, 1, 2],
        "!= 3": [number for number in range(20) if number != 2],
        "% 8": [7, 15],
    }
    for text, wanted in expected.items():
        assert stops(scene, hit_condition=text)[0] == wanted, text


def scenario_hits_count_when_the_condition_holds(scene):
    assert stops(scene, condition="number > 9", hit_condition="== 2")[0] == [11]


def scenario_a_condition_that_fails_stops_once_and_says_so(scene):
    found, texts = stops(scene, condition="missing > 3")
    assert found == [0]
    assert texts == ["The condition 'missing > 3' failed: NameError: name 'missing' is not defined"]


def scenario_a_condition_that_fails_at_times(scene):
    found, texts = stops(scene, condition="1 / (number - 5) == 1")
    assert found == [5, 6]
    assert texts[0].endswith("failed: ZeroDivisionError: division by zero")
    assert texts[1] is None


def scenario_what_cannot_be_compiled_is_refused(scene):
    for options in (
        {"condition": "number >"},
        {"hit_condition": "about 3"},
        {"hit_condition": "% 0"},
        {"log_message": "{number"},
        {"log_message": "{}"},
        {"log_message": "{1 +}"},
        {"log_message": "}"},
    ):
        (answer,) = scene.break_at("body", **options)
        assert (answer.verified, answer.reason) == (False, "failed"), options
        assert answer.message.startswith("Not set: "), answer.message
    (answer,) = scene.break_at("body", condition="number >")
    assert answer.message.startswith("Not set: 'number >' is no expression: "), answer.message


def messages(scene, message, **options):
    before = len(scene.seen)
    scene.break_at("end", log_message=message, **options)
    loop(3)
    while not scene.events.empty():
        scene.seen.append(scene.events.get())
    return [body["output"] for event, body in scene.seen[before:] if event == "output"]


def scenario_log_messages(scene):
    assert messages(scene, "plain") == ["plain\n"]
    assert messages(scene, "{{{number}}} of {len(numbers)!r:>4}|{numbers!r:.4}") == ["{2} of    3|[0, \n"]
    assert messages(scene, "{ {'a': number}['a'] } {numbers[0:2]}") == ["2 [0, 1]\n"]
    assert messages(scene, "{nothing} {1/0}") == [
        "<NameError: name 'nothing' is not defined> <ZeroDivisionError: division by zero>\n"
    ]
    assert messages(scene, "{number}", condition="number > 5") == []
    body = scene.seen[-1][1]
    assert body["category"] == "console"
    assert body["source"]["path"] == scene.path
    assert body["line"] == scene.line("end")


def scenario_log_messages_on_a_hot_line_are_capped_and_say_so(scene):
    from remora._stopping import _breakpoints

    cap, _breakpoints.LOGS_PER_SECOND = _breakpoints.LOGS_PER_SECOND, 10
    try:
        scene.break_at("body", log_message="{number}")
        loop(500)
        written = [body for event, body in scene.pending_events() if event == "output"]
        assert 10 <= len(written) < 400
    finally:
        _breakpoints.LOGS_PER_SECOND = cap


def scenario_only_the_named_thread(scene):
    names = []
    scene.break_at("body", thread="worker-*")

    def script():
        for _ in range(2):
            body = scene.wait_stopped()
            names.extend(info.name for info in scene.call("threads") if info.id == body["threadId"])
            scene.call("resume", None)

    scene.script(script)
    for name in ("other", "worker-1", "another", "worker-2"):
        thread = threading.Thread(target=loop, args=(1,), name=name)
        thread.start()
        thread.join()
    assert names == ["worker-1", "worker-2"]


def scenario_a_temporary_one_stops_once(scene):
    (answer,) = scene.break_at("body", temporary=True)

    def script():
        removed = scene.wait("breakpoint")
        assert removed == {"reason": "removed", "breakpoint": {**removed["breakpoint"], "id": answer.id}}
        scene.wait_stopped()
        scene.call("resume", None)

    scene.script(script)
    loop(5)


def scenario_an_unchanged_one_keeps_its_number_and_count(scene):
    (first,) = scene.break_at("body", hit_condition="== 5")
    loop(3)
    (second,) = scene.break_at("body", hit_condition="== 5")
    assert first.id == second.id

    def script():
        thread = scene.wait_stopped()["threadId"]
        frame = scene.call("frames", thread)[0].frame
        assert scene.evaluate(thread, lambda: frame.f_locals["number"]) == 1
        scene.call("resume", None)

    scene.script(script)
    loop(3)


def scenario_several_on_one_line(scene):
    line = scene.line("body")
    specs = [SourceBreakpoint(line, condition="number == 1"), SourceBreakpoint(line, condition="number == 2")]
    first, second = scene.call("set_breakpoints", scene.path, specs)

    def script():
        for wanted in (first, second):
            assert scene.wait_stopped()["hitBreakpointIds"] == [wanted.id]
            scene.call("resume", None)

    scene.script(script)
    loop(5)


def scenario_module_level_and_class_level_conditions(scene):
    source = "limit = 3\nclass Thing:\n    inner = 4\n    other = inner\nlast = 5\n"
    specs = [
        SourceBreakpoint(4, condition="inner == 4 and limit == 3", log_message="class {inner}"),
        SourceBreakpoint(5, condition="Thing.inner == 4", log_message="module {limit}"),
    ]
    scene.call("set_breakpoints", "levels.py", specs)
    exec(compile(source, "levels.py", "exec"), {"__name__": "levels"})
    written = [body["output"] for event, body in scene.pending_events() if event == "output"]
    assert written == ["class 4\n", "module 3\n"], written


def leaves_by_each_way(numbers):
    for number in numbers:
        try:
            if number > 1:
                number = 0
            elif 2 > 1:
                continue
        finally:
            number = sum([  # @cleanup
                number,
            ])
    return number


def scenario_a_long_statement_in_finally(scene):
    """It is in the code once for each way out, one behind the other: each is a visit of its own."""
    counts = scene.count_hits("cleanup")
    leaves_by_each_way([1, 2, 3])
    with contextlib.suppress(TypeError):
        leaves_by_each_way([None])  # by an exception
    assert counts() == [4]


def begins_late(value):
    """The first line of each is run after others of it."""
    chosen = (  # @chosen
        str(value)
        if value
        else 3
    )
    called = str(  # @called
        value) if value else (
        5)  # fmt: skip
    either = int(  # @either
        value
        or 5
    )
    return chosen, called, either


def scenario_a_statement_that_does_not_begin_with_its_first_line(scene):
    counts = scene.count_hits("chosen", "called", "either")
    begins_late(1)
    begins_late(0)
    assert counts() == [2, 2, 2]
