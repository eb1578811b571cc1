"""Breakpoints by name, that wait for another, of one thread or task, kept in files, explained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from remora_client._errors import ClientError
from remora_client._source._localsource import LocalSources
from tests.client.commands.conftest import PROGRAM, Debugging, debug
from tests.support.interpreters import NEWEST
from tests.support.program import Program

THREADS = """\
import asyncio, sys, threading


def work(number):
    total = number + 1  # @work
    return total


async def wait(number):
    await asyncio.sleep(0)
    seen = number  # @task
    return seen


async def main():
    await asyncio.gather(*(asyncio.create_task(wait(n), name=f"waiter-{n}") for n in range(3)))


print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "tasks":
        asyncio.run(main())
    elif line.strip() == "threads":
        for number in range(3):
            thread = threading.Thread(target=work, args=(number,), name=f"worker-{number}")
            thread.start()
            thread.join()
    print("done", flush=True)
"""


@pytest.fixture
def threads() -> Iterator[Debugging]:
    with debug(THREADS) as found:
        yield found


def test_names_are_groups(debugging: Debugging) -> None:
    debugging.run("b -name io Counter.add", f"b -name io program.py:{debugging.line('print')}")
    debugging.run(f"b program.py:{debugging.line('loop')}")
    assert "name io" in debugging.run("b") or "name io" in debugging.text
    assert [each["enabled"] for each in debugging.run("disable io")] == [False, False]
    assert [each["enabled"] for each in debugging.run("toggle io 3")] == [True, True, False]
    assert debugging.run("group rest 3") == {"io": [1, 2], "rest": [3]}
    assert debugging.run("condition rest total > 1")["condition"] == "total > 1"
    assert debugging.run("group -none 3") == {"io": [1, 2]}
    assert [each["id"] for each in debugging.run("clear io")] == [1, 2]
    with pytest.raises(ClientError, match="numbers or names"):
        debugging.run("enable io")
    made = debugging.run("rbreak program.py:^(walk|handle)$")
    assert "disable rbreak-4" in debugging.text
    assert len(debugging.run("disable rbreak-4")) == len(made) == 2


def test_one_waits_for_another(debugging: Debugging) -> None:
    debugging.run(f"b program.py:{debugging.line('print')}")
    waiting = debugging.run(f"b -after 1 program.py:{debugging.line('add')}")
    assert waiting["verified"] is False
    assert "after 1 is hit" in debugging.text
    assert any("waits until breakpoint 1" in each for each in debugging.run("why 2")["reasons"])
    debugging.program.stdin_line("a")
    debugging.run("continue")
    assert debugging.at("print")
    debugging.program.stdin_line("b")
    debugging.run("continue")
    assert debugging.at("add")
    assert "after 1 was hit" in (debugging.run("b") and debugging.text)


def test_a_thread_of_its_own(threads: Debugging) -> None:
    threads.run(f"b program.py:{threads.line('work')} thread worker-1 if number < 9")
    assert threads.run("b")[0]["thread"] == "worker-1"
    threads.program.stdin_line("threads")
    threads.run("continue")
    assert threads.run("p number")["value"] == "1"
    threads.program.stdin_line("nothing")
    threads.run("clear -all", f"b program.py:{threads.line('work')} thread 1", 'tb program.py:/"done"/')
    threads.program.stdin_line("threads")
    threads.run("continue")
    assert threads.stop is not None
    assert threads.stop.frame is not None
    assert threads.stop.frame.name == "<module>"  # no thread but the first ran it, and that never does
    with pytest.raises(ClientError, match="no thread 999"):
        threads.run(f"b program.py:{threads.line('work')} thread 999")


def test_a_task_of_its_own(threads: Debugging) -> None:
    threads.run(f"b program.py:{threads.line('task')} task waiter-2")
    threads.program.stdin_line("tasks")
    threads.run("continue")
    assert threads.run("p number")["value"] == "2"
    assert any("tasks called waiter-2" in each for each in threads.run("why 1")["reasons"])


def test_tasks_are_filtered_and_counted(threads: Debugging) -> None:
    threads.run(f"b program.py:{threads.line('task')} task waiter-0")
    threads.program.stdin_line("tasks")
    threads.run("continue")
    everybody = threads.run("tasks")
    names = {each["name"] for each in threads.run("tasks -with waiter")}
    assert names == {"waiter-0", "waiter-1", "waiter-2"}
    assert [each["name"] for each in threads.run("tasks -with user .wait$ -with 1$")] == ["waiter-1"]
    groups = threads.run("tasks -group")
    assert sum(each["count"] for each in groups) == len(everybody)
    assert any(each["place"].endswith(" wait") for each in groups)
    threads.run("tasks -t")
    assert threads.text.count("wait") > 3
    for command in ("tasks -x", "tasks -with ("):
        with pytest.raises(ClientError):
            threads.run(command)


def test_commands_line_by_line_and_silent(debugging: Debugging, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(
        f"break program.py:{debugging.line('loop')}\ncommands\n  silent\n  print number\n  continue\nend\n"
        f"break program.py:{debugging.line('print')}\n"
    )
    debugging.run(f"source {script}")
    assert debugging.ctx.on_hit == {1: ["silent", "print number", "continue"]}
    debugging.program.stdin_line("a")
    debugging.run("continue")
    assert debugging.text == ""  # it stands at the breakpoint, and nobody is shown that
    assert debugging.at("loop")
    script.write_text("commands 1\nprint 1\n")
    with pytest.raises(ClientError, match="has no end"):
        debugging.run(f"source {script}")


def test_they_follow_their_text(debugging: Debugging, tmp_path: Path) -> None:
    """Saved, three lines inserted above in the person's copy and in the program; loaded again."""
    debugging.run(
        f"b -name here program.py:{debugging.line('loop')} if number > 1",
        f"b -after here program.py:{debugging.line('print')}",
        "on here print number",
        f'b -log "it\'s {{total}}" program.py:{debugging.line("end")}',
        "save breakpoints",
    )
    assert "3 breakpoints are kept" in debugging.text
    text = Path(debugging.run("save breakpoints")["file"]).read_text()
    assert "-text 'total += number  # @loop'" in text
    moved = PROGRAM.replace("def walk", "ONE = 1\nTWO = 2\nTHREE = 3\n\n\ndef walk")
    with Program(NEWEST, moved, enable={"secret": None}) as program:
        program.wait_line("ready")
        again = Debugging(program, debugging.runner)
        try:
            saved = tmp_path / "saved"
            saved.write_text(text.replace(str(debugging.program.path), str(program.path)))
            again.run(f"load {saved}")
            found = again.run("breakpoints")
            assert [each["line"] for each in found] == [again.line(at) for at in ("loop", "print", "end")]
            assert found[0]["line"] == debugging.line("loop") + 5
            assert found[0]["condition"] == "number > 1"
            assert found[1]["after"] == 1
            assert again.ctx.on_hit == {1: ["print number"]}
            notes: list[str] = []
            again.session.listen(lambda event, body: notes.append(str(body.get("text"))))
            again.run("b -text 'no such line' program.py:12")
            assert any("no line reads 'no such line'" in each for each in notes)
        finally:
            again.close()


def test_a_copy_that_differs(debugging: Debugging, tmp_path: Path) -> None:
    """The person's copy has grown; a breakpoint on it goes to the same statement of what runs."""
    copy = tmp_path / "program.py"
    whole = debugging.program.path.read_text()
    loop, shown = debugging.line("loop"), debugging.line("print")
    copy.write_text("# new\n# lines\n" + whole.replace("def walk", "def fresh():\n    pass\n\n\ndef walk"))
    here = copy.read_text().splitlines()
    debugging.session.sources = LocalSources([str(tmp_path)])
    line = 1 + next(index for index, text in enumerate(here) if "# @loop" in text)
    made = debugging.run(f"b {copy}:{line}")
    assert made["line"] == loop
    assert f"Line {line} of your copy is line {loop}" in made["message"]
    debugging.program.path.unlink()  # or that would be the better copy
    told = debugging.run("why 1")["reasons"]
    assert any("your copy is not the text" in each for each in told)
    assert any(f"line {line} of your copy is on line {loop}" in each for each in told)
    debugging.program.stdin_line("a")
    debugging.run("continue")
    assert debugging.stop is not None
    assert debugging.stop.frame is not None
    assert debugging.stop.frame.line == loop
    assert "own text: your copy differs" in debugging.text
    made = debugging.run(f"b {shown}")  # what is shown is the program's text
    assert made["line"] == shown
    debugging.run("clear -all")


def test_why_has_a_text_for_each_cause(debugging: Debugging) -> None:
    def why(command: str) -> str:
        number = debugging.run(command)["id"]
        return "\n".join(debugging.run(f"why {number}")["reasons"])

    def_line = debugging.line("returned") + 1  # a blank line: nothing stops there
    causes = [
        why("b progam.py:3"),
        why(f"b program.py:{def_line}"),
        why(f"b -disabled program.py:{debugging.line('end')}"),
        why(f"b -after 3 program.py:{debugging.line('end')}"),
        why(f"b program.py:{debugging.line('loop')} if number > 9"),
        why(f"b -hit '> 5' program.py:{debugging.line('print')}"),
        why(f"b program.py:{debugging.line('walk')}"),
        why("b no_such_function"),
    ]
    for text, cause in zip(
        causes,
        (
            "no loaded file",
            "moved to",
            "disabled",
            "waits until",
            "stops only if",
            "number of hits",
            "not been reached",
            "no loaded module",
        ),
        strict=True,
    ):
        assert cause in text, (cause, text)
    assert "a name like it" in causes[0]
    assert len(set(causes)) == len(causes)
    debugging.run("clear 7")
    debugging.to("for")
    debugging.run("next")
    assert "in the selected frame that is False now" in "\n".join(debugging.run("why 5")["reasons"])


def test_a_copy_of_what_nobody_can_read_any_more(debugging: Debugging, tmp_path: Path) -> None:
    """The program's file is gone, and was never read by us: the copy is shown, with a word of caution."""
    copy = tmp_path / "program.py"
    loop = debugging.line("loop")
    debugging.program.path.rename(copy)
    debugging.session.sources = LocalSources([str(tmp_path)])
    debugging.run(f"b program.py:{loop}")
    debugging.program.stdin_line("a")
    debugging.run("continue", "continue")
    assert "# @loop" in debugging.text
    notes = [body["text"] for event, body in debugging.events if event == "remora/note"]
    assert notes == [f"{copy} may not be what the program runs: the program's text cannot be had."]
