"""The parts of the server that need no process: the outbox, the gate, places of breakpoints, the log."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from remora._control._stacks import Stacks
from remora._control._threads import ThreadRecord, Threads
from remora._interpreter import _frames
from remora._log import Log
from remora._network._login import Gate, Peer
from remora._network._loop import Loop
from remora._network._port import Port
from remora._source._filters import Filters
from remora._stopping._stops import Stop
from remora._streams._feed import LONGEST, PIECES, PIECES_IN_FLOOD, ROOM, Feed
from remora._streams._outbox import Outbox
from remora._streams._output import Output, _Covered
from remora_protocol import RequestFailed
from tests.server.inside import run_inside
from tests.support.interpreters import Interpreter


class Wakes:
    def __init__(self) -> None:
        self.seen: list[bool] = []

    def __call__(self, urgent: bool) -> None:
        self.seen.append(urgent)


def dropped(events: list[tuple[str, dict[str, object]]]) -> int:
    total = 0
    for _, body in events:
        if found := re.match(r"\[([0-9,]+) characters", str(body.get("output"))):
            total += int(found[1].replace(",", ""))
    return total


def test_texts_that_follow_each_other_are_one_event_and_the_order_is_kept() -> None:
    outbox = Outbox()
    for text in ("a", "b"):
        outbox.put_text("stdout", text)
    outbox.put_text("stderr", "c")
    outbox.put_event("stopped", {"threadId": 1})
    outbox.put_text("stderr", "d")
    assert outbox.take() == [
        ("output", {"category": "stdout", "output": "ab"}),
        ("output", {"category": "stderr", "output": "c"}),
        ("stopped", {"threadId": 1}),
        ("output", {"category": "stderr", "output": "d"}),
    ]


def test_a_congested_client_gets_events_and_later_the_count() -> None:
    outbox = Outbox()
    assert outbox.take(congested=True) == []
    outbox.put_text("stdout", "lost")
    outbox.put_event("stopped", {})
    assert outbox.take(congested=True) == [("stopped", {})]
    assert dropped(outbox.take()) == 4
    outbox.put_text("stdout", "kept")
    assert outbox.take()[0][1]["output"] == "kept"


def test_what_a_client_has_no_room_for_is_counted_and_said() -> None:
    outbox = Outbox()
    written = 0
    while written < 2 * ROOM:
        outbox.put_text("stdout", "x" * 1000)
        written += 1000
    outbox.put_event("output", {"output": "z" * 20})
    events = outbox.take()
    kept = sum(len(str(body["output"])) for name, body in events if body.get("category") == "stdout")
    assert kept + dropped(events) == written + 20


def test_the_feed_wakes_its_reader_once_for_text_and_once_more_for_an_event() -> None:
    wakes = Wakes()
    feed = Feed(wakes, lambda: False)
    feed.put_text("stdout", "a")
    feed.put_text("stderr", "b")
    feed.put_event("stopped", {"threadId": 1})
    feed.put_event("continued", {})
    assert wakes.seen == [False, True]
    assert feed.take() == [
        "a",  # as it is: thousands of tuples would make the program's garbage collector run
        ("stderr", "b"),
        ("stopped", {"threadId": 1}),
        ("continued", {}),
    ]
    feed.put_text("stdout", "e")
    assert wakes.seen == [False, True, False]


def test_what_the_feed_has_no_room_for_is_counted() -> None:
    floods: list[int] = []

    def flooded() -> bool:
        floods.append(1)
        return False

    feed = Feed(lambda urgent: None, flooded)
    feed.put_text("stdout", "x" * (LONGEST + 7))
    written = LONGEST + 7
    while written < ROOM + 5 * LONGEST:
        feed.put_text("stdout", "x" * LONGEST)
        written += LONGEST
    kept = sum(map(len, feed.take()))
    assert ROOM <= kept <= ROOM + LONGEST
    assert feed.take_dropped() == written - kept
    assert not floods and not feed.calm()
    for _ in range(PIECES + 100):
        feed.put_text("stdout", "12345")
    feed.put_event("output", {"output": "12345"})
    feed.put_event("stopped", {})  # comes through whatever there is
    assert len(feed.take()) == PIECES + 1
    assert feed.take_dropped() == 101 * 5
    assert floods == [1] and feed.calm() and not feed.calm()


def test_threads_count_what_they_lose_without_losing_count() -> None:
    feed = Feed(lambda urgent: None, lambda: False)

    def write() -> None:
        for _ in range(20_000):
            feed.put_text("stdout", "12345")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert feed.take_dropped() == (4 * 20_000 - len(feed.take())) * 5


def test_a_flood_wakes_the_reader_where_it_begins_and_gives_way_until_it_has_taken() -> None:
    wakes = Wakes()
    floods = iter([True, False])
    feed = Feed(wakes, lambda: next(floods))

    def read() -> None:
        feed.take()
        feed.calm()
        feed.go_on()

    reader = threading.Thread(target=read)

    def wake(urgent: bool) -> None:
        wakes(urgent)
        if urgent:
            reader.start()

    feed._wake = wake
    for _ in range(PIECES + 1):
        feed.put_text("stdout", "x")
    assert wakes.seen == [False, True]
    reader.join()
    assert not feed.is_flooded and not feed.items
    for _ in range(PIECES_IN_FLOOD + 1):
        feed.put_text("stdout", "x")
    assert wakes.seen == [False, True, False]  # and nobody is waited for: the reader knows, and has its times
    assert feed.is_flooded


def test_nobody_is_waited_for_longer_than_a_thread_may_have_the_interpreter() -> None:
    feed = Feed(lambda urgent: None, lambda: True)
    began = time.monotonic()
    for _ in range(PIECES + 100):
        feed.put_text("stdout", "x")
    assert time.monotonic() - began < 1  # it is asked once: the reader never came


def test_of_what_a_flood_has_piled_up_the_first_part_is_shown_and_the_rest_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("remora._streams._output._count_written", lambda: 1000)
    output = Output(lambda urgent: None)
    line = "x" * 39 + "\n"
    output.feed.put_event("continued", {})
    for _ in range(PIECES):
        output.feed.put_text("stdout", line)
    output.feed.put_event("stopped", {})
    items = output.take()
    assert output.take_stock() == []
    assert [name for name, _ in items] == ["continued", "stdout", "stopped"]
    shown = items[1][1]
    assert LONGEST - 40 <= len(shown) <= LONGEST and shown.endswith("\n")
    for _ in range(PIECES_IN_FLOOD // 2):
        output.feed.put_text("stdout", line)
    assert output.take() == [("stdout", line * (PIECES_IN_FLOOD // 2))]
    [(_, said)] = output.take_stock()
    assert f"about {40 * PIECES - len(shown):,} characters" in said["output"]
    output.feed.put_text("stdout", "calm\n")
    assert output.take() + output.take_stock() == [("stdout", "calm\n")]


def test_a_long_text_comes_in_pieces_that_end_with_a_line_if_they_can() -> None:
    output = Output(lambda urgent: None)
    text = "x" * 2 * LONGEST + ("y" * 99 + "\n") * 2000
    for start in range(0, len(text), 1000):
        output.feed.put_text("stdout", text[start : start + 1000])
    pieces = [content for _, content in output.take()]
    assert "".join(pieces) == text
    assert all(len(piece) <= LONGEST for piece in pieces)
    assert [piece[-1] for piece in pieces] == ["x", "x", *"\n" * (len(pieces) - 2)]


class Crossed(dict[str, Any]):
    """The attributes of a stream; when its `write` is taken away, another thread comes in between."""

    between: Callable[[], object]

    def pop(self, *arguments: Any) -> Any:
        type(self).between()
        return super().pop(*arguments)


class Stream:
    def __init__(self) -> None:
        self.__dict__ = Crossed()
        self.written: list[str] = []

    def write(self, text: str) -> None:
        self.written.append(text)


def test_a_stream_that_is_uncovered_and_covered_at_once_is_not_forgotten() -> None:
    stream, copied = Stream(), list[str]()

    def make(write: Callable[[str], Any]) -> Callable[[str], Any]:
        def copying(text: str) -> None:
            write(text)
            copied.append(text)

        return copying

    covered = _Covered(stream, make)
    Crossed.between = staticmethod(covered.cover)
    assert covered.cover()
    covered.uncover()
    assert covered.cover()
    stream.write("one")
    assert (stream.written, copied) == (["one"], ["one"])


def test_a_cancelled_timer_wakes_nobody() -> None:
    loop = Loop()
    try:
        loop.call_later(0.001, loop.stop).cancel()
        assert loop._patience() > 0.1
    finally:
        loop._close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_stack_asked_for_early_outlives_the_news_that_the_stop_before_is_over() -> None:
    """The news is posted by the program's thread, and a client that knows the new stop may be quicker."""
    stacks, frame = Stacks(Filters(), lambda _thread: None), sys._getframe()
    record = ThreadRecord(1, threading.get_ident())
    record.stop = Stop(frame, "breakpoint")
    of_the_first = stacks.of(record)[0].id
    record.stop = Stop(frame, "step")
    stacks.forget_left([record])
    with pytest.raises(RequestFailed, match="is gone"):
        stacks.frame(of_the_first)
    of_the_second = stacks.of(record)[0].id
    stacks.forget_left([record])
    assert stacks.frame(of_the_second).frame is frame
    record.stop = None
    stacks.forget_left([record])
    with pytest.raises(RequestFailed, match="is gone"):
        stacks.frame(of_the_second)


def test_a_thread_that_is_held_while_the_threads_are_listed_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It began after the list was taken, with the ident of one that has ended."""
    threads = Threads(set())
    record = threads.of(1)
    look = _frames.current_frames

    def look_too_early() -> dict[int, FrameType]:
        found = look()
        record.stop = Stop(sys._getframe(), "pause")
        return found

    monkeypatch.setattr(_frames, "current_frames", look_too_early)
    threads.list(True)
    assert threads.held() == [record]


def test_a_thread_that_is_held_after_it_was_taken_for_an_ended_one_is_not_lost() -> None:
    threads = Threads(set())
    record = threads.of(1)
    threads.list(True)
    assert threads.all() != [record]
    record.stop = Stop(sys._getframe(), "pause")
    threads.keep(record)
    assert threads.held() == [record]


class HandedOver:
    """A lock that was given to who waits for it, and who is not awake yet."""

    def __init__(self) -> None:
        self.releases = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        return True

    def locked(self) -> bool:
        return True

    def release(self) -> None:
        self.releases += 1


class Note:
    def __init__(self, notes: list[int]) -> None:
        self.notes = notes

    def run(self) -> None:
        self.notes.append(len(self.notes))

    def drop(self) -> None:
        raise AssertionError("it was to be run")


def test_a_held_thread_is_rung_for_once_until_it_is_awake() -> None:
    """From 3.13 on, releasing a lock that was handed over already ends a debug build."""
    lock, notes = HandedOver(), list[int]()
    record = ThreadRecord(1, threading.get_ident(), _wake=lock)
    for _ in range(3):
        record.post(Note(notes))
    record.let_go()
    assert lock.releases == 1
    record.wait()
    assert notes == [0, 1, 2]
    record.let_go()
    assert lock.releases == 2


def test_who_gave_way_to_the_reader_is_let_go_once() -> None:
    feed, lock = Feed(lambda urgent: None, lambda: True), HandedOver()
    feed._way = lock
    for _ in range(PIECES + 1):
        feed.put_text("stdout", "x")
    feed.go_on()
    feed.go_on()
    assert lock.releases == 1


def test_each_wrong_secret_doubles_the_wait_of_its_peer_only() -> None:
    clock = Clock()
    gate = Gate("right", now=clock)
    bad, good = Peer.from_address(("192.0.2.1", 1)), Peer.from_address(("192.0.2.2", 1))
    waits = []
    for _ in range(12):
        waits.append(gate.failed(bad))
        with pytest.raises(RequestFailed, match="wait"):
            gate.check_patience(bad)
        gate.check_patience(good)
        clock.now += waits[-1]
        gate.check_patience(bad)
    assert waits[:4] == [0.25, 0.5, 1.0, 2.0]
    assert waits[-1] == 60.0
    gate.succeeded(bad, "observer")  # with the other secret, as often as they like
    assert gate.failed(bad) == 60.0
    gate.succeeded(bad, "driver")
    assert gate.failed(bad) == 0.25
    clock.now += 10_000
    assert gate.failed(bad) == 0.25  # forgotten


def test_the_wait_is_never_said_to_be_nothing() -> None:
    clock = Clock()
    gate = Gate("right", now=clock)
    peer = Peer.from_address(("192.0.2.1", 1))
    gate.failed(peer)
    clock.now += 0.249
    with pytest.raises(RequestFailed, match=r"After a wrong secret .* wait 0\.1 seconds"):
        gate.check_patience(peer)


def test_many_peers_take_no_more_than_so_much_memory() -> None:
    gate = Gate("right")
    for number in range(5000):
        gate.failed(Peer(f"peer {number}", f"{number}"))
    assert len(gate._failures) == 4096


@pytest.mark.parametrize(
    ("address", "name", "is_local"),
    [
        (("127.0.0.1", 7), "127.0.0.1:7", True),
        (("192.0.2.1", 7), "192.0.2.1:7", False),
        (("::1", 7), "[::1]:7", True),
        (("::ffff:127.0.0.1", 7), "127.0.0.1:7", True),
        (("2001:db8::1", 7), "[2001:db8::1]:7", False),
        (("fe80::1%eth0", 7), "[fe80::1]:7", False),
    ],
)
def test_peers_have_names(address: tuple[str, int], name: str, is_local: bool) -> None:
    peer = Peer.from_address(address)
    assert (peer.name, peer.is_local) == (name, is_local)


def test_neighbours_in_one_ipv6_network_are_one_peer() -> None:
    one, other = Peer.from_address(("2001:db8::1", 1)), Peer.from_address(("2001:db8::ffff:2", 1))
    assert one.key == other.key != Peer.from_address(("2001:db8:0:1::1", 1)).key


def test_the_gate_knows_its_secrets_without_keeping_them() -> None:
    gate = Gate("driver", "observer")
    assert gate.role_of_secret("driver") == "driver"
    assert Gate("x" * 2000).holds("x" * 2000, None)
    assert Gate("x" * 2000).role_of_secret("x" * 2000) is None  # to look at one so long takes too long
    assert gate.role_of_secret("observer") == "observer"
    assert gate.role_of_secret("else") is None
    assert gate.holds("driver", "observer")
    assert (
        not gate.holds("driver", None)
        and not gate.holds(None, "observer")
        and not gate.holds("x", "observer")
    )
    assert "driver" not in repr(vars(gate)).replace("'driver'", "") and not gate.is_open
    assert Gate(None).is_open and not Gate("").is_open  # empty is a secret, None is none


@pytest.mark.parametrize("setting", ["{path}", "{path}:debug", "{path}:warning"])
def test_the_log_has_one_line_for_each_thing(setting: str, tmp_path: Path) -> None:
    path = tmp_path / "a:b.log"
    log = Log()
    log.debug("before it is open")
    log.open_from(setting.format(path=path))
    log.debug("small")
    log.info("who\ncame ü")
    log.warning("beware")
    log.close()
    log.error("after it is closed")
    text = path.read_text()
    expected = {"{path}": 3, "{path}:debug": 4, "{path}:warning": 1}[setting]
    assert len(text.splitlines()) == expected
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_that_cannot_be_written_hurts_nobody(tmp_path: Path) -> None:
    log = Log()
    log.open_from(str(tmp_path / "missing" / "log"))
    log.error("x")
    assert not [*tmp_path.iterdir()]


PLACES = '''\
"""doc
more"""
import os

@deco
# between
def f(a,
      b=1):
    """doc

    x"""
    # note
    x = {
        "a": 1,
        "b": 2,
    }
    if (a and
            b):
        return [i
                for i in b
                if i]
    else:
        y = lambda: (
            3)
    # tail

# above
class C:
    z = 1

    def m(self): return 1
    # in class
    async def n(self):
        async with a as b:
            pass

def gen():
    global g
    yield 1
# end
'''


def test_breakpoints_move_to_where_they_are_meant(interpreter: Interpreter) -> None:
    moves = run_inside(
        interpreter,
        f"""
        import json
        from remora._source._placement import lines_of_text
        lines = lines_of_text({PLACES!r})
        print(json.dumps([lines.place(n) for n in range(1, 43)]))
        """,
    )
    found = dict(enumerate(moves, 1))
    assert {n: found[n] for n in (1, 2, 3, 4, 5)} == {1: 1, 2: 1, 3: 3, 4: 5, 5: 5}
    assert found[7] == (13 if interpreter.name == "pypy-3.9" else 7)  # there only the decorator has code
    assert [found[n] for n in (9, 10, 11, 12, 13)] == [13, 13, 13, 13, 13]  # docstring and comment: the body
    assert found[14] in (13, 14)  # inside a statement of several lines
    assert found[16] in (13, 15)
    assert (found[17], found[18], found[19], found[21]) == (17, 18, 19, 21)
    assert (found[22], found[23]) == (23, 23)  # else has no code
    assert found[25] is None  # a comment behind the function's last line
    assert (found[26], found[27], found[28]) == (28, 28, 28)
    assert (found[31], found[33], found[34], found[35]) == (31, 33, 34, 35)
    assert found[38] == 39  # global has no code
    assert (found[40], found[41], found[42]) == (None, None, None)


CASES = """\
def choose(x):
    match x:
        case 1:
            # comment
            return "one"
        case _:
            # another
            return "other"
"""


def test_a_comment_in_a_case_is_no_part_of_a_statement(interpreter: Interpreter) -> None:
    if interpreter.version < (3, 10):
        pytest.skip("match is there from 3.10 on")
    found = run_inside(
        interpreter,
        f"""
        import json
        from remora._source._placement import lines_of_text
        lines = lines_of_text({CASES!r})
        print(json.dumps([lines.place(n) for n in (4, 5, 7)]))
        """,
    )
    assert found == [5, 5, 8]


def test_form_feeds_end_no_line(interpreter: Interpreter) -> None:
    text = "x = 1\n\x0c\n# \x1c \u2028\ndef f():\n    return 1\n    # tail\ny = 1\n"
    found = run_inside(
        interpreter,
        f"""
        import json
        from remora._source._placement import lines_of_text
        lines = lines_of_text({text!r})
        print(json.dumps([lines.place(n) for n in (2, 3, 6)]))
        """,
    )
    assert found == [4, 4, None]


def test_files_are_found_by_name_with_the_text_that_was_loaded(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("def hidden(): pass\n")
    (tmp_path / "pack" / "decoder.py").write_text("def first():\n    return 1\n")
    (tmp_path / "latin.py").write_bytes("# -*- coding: latin-1 -*-\r\nname = 'é'\r\n".encode("latin-1"))
    found = run_inside(
        interpreter,
        f"""
        import json, sys, os, linecache
        sys.path.insert(0, {str(tmp_path)!r})
        sys.dont_write_bytecode = True
        from remora._source._sources import Sources
        import json.decoder, pack.decoder, latin
        sources = Sources()
        name = pack.decoder.__file__
        exec(compile("x = 1\\ndef f():\\n    return 2\\n", "<cell 1>", "exec"))
        linecache.cache["<cell 1>"] = (30, None, ["x = 1\\n", "def f():\\n", "    return 2\\n"], "<cell 1>")
        sources.note("<cell 1>")
        before = sources.text(name)
        with open(name, "w") as file: file.write("changed")
        print(json.dumps([
            [os.path.relpath(each, {str(tmp_path)!r}) for each in sources.resolve("pack/decoder.py")],
            len(sources.resolve("decoder.py")),
            len(sources.resolve("/elsewhere/decoder.py", sources.sha256(name))),
            sources.resolve("nowhere.py"),
            any(each.endswith("decoder.py") for each in sources.near("decodr.py")),
            sources.matches("C:\\\\work\\\\Pack\\\\decoder.py", name),
            sources.matches("other.py", name),
            before == sources.text(name),
            sources.place(name, 1), sources.place(name, 2), sources.place(name, 3),
            sources.text(latin.__file__),
            sources.text("<cell 1>"), sources.place("<cell 1>", 2), sources.display_path("<cell 1>"),
            sources.text("<nothing>"), sources.lines("<nothing>"),
            sources.reference(name) == sources.reference(name) > 0,
            sources.by_reference(sources.reference(name)) == name, sources.by_reference(999),
        ]))
        """,
    )
    assert found == [
        ["pack/decoder.py"], 2, 1, [], True, True, False, True, 1, 2, None,
        "# -*- coding: latin-1 -*-\nname = 'é'\n",
        "x = 1\ndef f():\n    return 2\n", 2, "<cell 1>", None, None, True, True, None,
    ]  # fmt: skip


def test_a_file_that_changed_since_it_was_loaded_is_known_without_a_pyc(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    """By the code that runs: one that was only written again, or is no Python, counts as the same."""
    text = "def first():\n    return 1\nclass Thing:\n    def second(self):\n        return 2\n"
    names = ("touched", "moved", "inside", "ended", "template")
    found = run_inside(
        interpreter,
        f"""
        import importlib, json, os, sys
        folder, text = {str(tmp_path)!r}, {text!r}
        sys.path.insert(0, folder)
        sys.dont_write_bytecode = True
        from remora._source._sources import Sources
        changed = {{
            "touched": text, "moved": "# one more\\n" + text,
            "inside": text.replace("return 2", "one = 2\\n        return one"),
            "ended": text + "third = 3\\n", "template": "<% for %>",
        }}
        found = []
        for name in {names!r}:
            file = os.path.join(folder, name + ".py")
            with open(file, "w") as stream: stream.write(text)
            importlib.import_module(name)
            with open(file, "w") as stream: stream.write(changed[name])
            os.utime(file, (4e9, 4e9))
            sources = Sources()
            sources.loaded()
            found.append([sources.has_changed(file), sources.sha256(file) is None, sources.place(file, 5)])
        print(json.dumps(found))
        """,
    )
    same, other = [False, False, 5], [True, True, 5]
    assert found == [same, other, other, same, same], dict(zip(names, found))


def test_a_module_without_source_has_lines_all_the_same(interpreter: Interpreter, tmp_path: Path) -> None:
    found = run_inside(
        interpreter,
        f"""
        import json, sys, os, py_compile
        folder = {str(tmp_path)!r}
        source = os.path.join(folder, "bare.py")
        with open(source, "w") as file:
            file.write("class C:\\n    def m(self):\\n\\n        return 1\\n")
        py_compile.compile(source, os.path.join(folder, "bare.pyc"))
        os.remove(source)
        sys.path.insert(0, folder)
        import bare
        from remora._source._sources import Sources
        sources = Sources()
        (name,) = sources.resolve("bare.py")
        print(json.dumps([sources.text(name), sources.place(name, 3), sources.place(name, 9)]))
        """,
    )
    assert found == [None, 4, None]


@pytest.mark.parametrize("missing", ["address", "pid", "wait", "door"])
def test_an_owner_of_another_version_is_not_believed_by_half(missing: str) -> None:
    said = {"address": ["127.0.0.1", 7], "pid": 1, "wait": 2.5, "door": "/tmp/1.sock"}
    port = Port(("127.0.0.1", 5), ("127.0.0.1", 5))
    port._on_line({key: value for key, value in said.items() if key != missing})
    assert (port.address, port.owner, port.patience) == (("127.0.0.1", 5), None, 0.0)
    port._on_line(said)
    assert (port.address, port.owner, port.patience) == (("127.0.0.1", 7), 1, 2.5)


def test_an_engine_that_was_detached_lets_exceptions_out(interpreter: Interpreter) -> None:
    """What interrupts a held thread may come when the client has just gone."""
    found = run_inside(
        interpreter,
        """
        import json
        from unittest.mock import Mock
        from remora._engine import choose
        engine = choose()
        listener = Mock(own_threads=set())
        engine.attach(listener)
        engine.detach()
        engine.let_out()
        print(json.dumps(listener.on_removed.called))
        """,
    )
    assert found is False
