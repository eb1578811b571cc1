"""Every command in a real session: its JSON form, its text, and its refusals."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from remora_client._errors import ClientError, NotStopped
from remora_client.commands import COMMANDS, FAILURES, GROUPS, error_text
from remora_protocol import RequestFailed
from tests.client.commands.conftest import Debugging


def test_every_command_is_declared_fully() -> None:
    for name, each in COMMANDS.items():
        assert each.help, name
        assert each.summary.endswith("."), (name, each.summary)
        assert len(each.summary) < 100, name
        assert each.group in GROUPS
        assert name.isidentifier()


def test_breakpoints(debugging: Debugging) -> None:
    line = debugging.line("loop")
    made = debugging.run(f"break program.py:{line} if number == 2")
    assert made == {"id": 1, "verified": True, "path": str(debugging.program.path), "line": line}
    assert f"Breakpoint 1 at program.py:{line}  if number == 2" in debugging.text
    debugging.program.stdin_line("a")
    debugging.run("continue")
    assert debugging.at("loop")
    assert f"● Breakpoint 1  handle at program.py:{line}" in debugging.text
    assert "→" in debugging.text
    assert debugging.run("print number, total") == {"value": "(2, 1)", "type": "tuple"}
    assert debugging.run("breakpoints")[0]["hits"] == 1
    assert debugging.run("disable 1")[0]["enabled"] is False
    assert debugging.run("enable 1")[0]["enabled"] is True
    assert debugging.run("toggle")[0]["enabled"] is False
    assert debugging.run("toggle 1")[0]["enabled"] is True
    assert debugging.run("condition 1 number == 3")["condition"] == "number == 3"
    debugging.run("continue")
    assert debugging.run("print number")["value"] == "3"
    assert "condition" not in debugging.run("condition 1")
    assert debugging.run("ignore 1 2")["ignore"] == 2
    reasons = debugging.run("why 1")["reasons"]
    assert any("2 hits pass first" in each for each in reasons)
    (gone,) = debugging.run(f"clear program.py:{line}")
    assert gone["id"] == 1
    assert debugging.run("b") == []


def test_places(debugging: Debugging) -> None:
    assert debugging.run("b Counter.add")["line"] == debugging.line("add") - 1
    assert debugging.run("b program.py:/total += number/")["line"] == debugging.line("loop")
    assert debugging.run(f"b program:{debugging.line('for')}")["line"] == debugging.line("for")
    debugging.run("clear -all")
    assert [each["line"] for each in debugging.run("b /^(walk|handle)$/")] == [
        debugging.line("walk"),
        debugging.line("handle"),
    ]
    debugging.run("b /^(walk|handle)$/ -name both if 1 > 2")
    assert [each["condition"] for each in debugging.run("b")[-2:]] == ["1 > 2", "1 > 2"]
    assert [each["name"] for each in debugging.run("b")[-2:]] == ["both", "both"]
    debugging.run("tb /^walk$/")
    assert "once" in debugging.text
    before = debugging.run("b")
    for line, refusal in (
        ("b /^(walk|handle)$/ if 1 >", "is no expression"),
        ("b -r /walk/", "-r and -y take one function"),
        ("b /^nothing_like_it$/ if 1", "No function's name matches"),
        ("list /walk/", "break /walk/ takes all of them"),
    ):
        with pytest.raises(ClientError, match=refusal):
            debugging.run(line)
        assert debugging.run("b") == before
    debugging.run("clear -all")
    debugging.to("handle")
    assert debugging.run("b +1")["line"] == debugging.line("handle") + 1
    assert debugging.run(f"b {debugging.line('loop')}, number > 1")["verified"]
    assert debugging.run("b")[1]["condition"] == "number > 1"
    pending = debugging.run("b later.py:3")
    assert pending["verified"] is False
    assert "message" in pending


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("break program.py:9999", "9999"),
        ("break program.py:3 if (", "no expression"),
        ("break program.py", "which line"),
        ("break -hit x program.py:3", "number of hits"),
        ("break +1", "running"),
        ("clear 7", "no breakpoint 7"),
        ("clear program.py:3", "no breakpoint at"),
        ("clear", "Which"),
        ("condition x", "numbers"),
        ("where", "running"),
        ("print 1", "running"),
        ("next", "running"),
        ("next 0", "from 1 on"),
        ("up", "running"),
        ("locals", "running"),
        ("frame x", "numbers"),
        ("thread 99", "running"),
        ("list nowhere.py:3", "nowhere.py"),
        ("display", ""),
        ("undisplay 1", "no display 1"),
        ("alias 1x y", "name"),
        ("unalias nope", "no alias"),
        ("source nope", "src nope"),
        ("load nope", "no file nope"),
        ("save", "As in"),
        ("catch nosuch(", "no mode"),
        ("catch rasied ValueError", "mean raised"),
        ("catch raised if", "condition is missing"),
        ("b x if", "condition is missing"),
        (":zzz 1", "zzz is no command"),
        ("!!", "A command is missing after the !!"),
        ("catch raised ValueError if ", "condition is missing"),
        ("set", ""),
        ("set context 0", "1 to 999"),
        ("set nothing", "sets nothing"),
        ("help nosuchword", "No command"),
        ("info nosuch", "knows nothing"),
        ("kill -8", "-9"),
        ("wait x", "seconds"),
        ("trace program.py:3", "text"),
        ("return 3", "running"),
        ("until x", "line number"),
        ("commands 5 p 1", "no breakpoint 5"),
    ],
)
def test_a_refusal_says_why(debugging: Debugging, command: str, says: str) -> None:
    if not says:
        debugging.run(command)
        return
    with pytest.raises(FAILURES) as caught:
        debugging.run(command)
    assert says in error_text(caught.value)
    assert "Traceback" not in error_text(caught.value)


def test_running(debugging: Debugging) -> None:
    debugging.to("handle")
    debugging.run("next")
    debugging.run("step")
    assert debugging.at("add")
    debugging.run("return")
    assert debugging.at("returned")
    assert "returned: 10" in debugging.text
    assert debugging.run("retval")["value"] == "10"
    debugging.run("next")
    assert debugging.stop is not None
    assert debugging.stop.frame is not None
    assert debugging.stop.frame.name == "handle"
    debugging.run("next 2")
    assert debugging.at("for")
    debugging.run("until")
    assert debugging.at("loop")
    debugging.run(f"until {debugging.line('print')}")
    assert debugging.at("print")
    debugging.run(f"jump {debugging.line('end')}")
    assert debugging.at("end")
    debugging.program.stdin_line("again")
    debugging.run(f"continue program.py:{debugging.line('loop')}")
    assert debugging.at("loop")
    assert debugging.run("breakpoints") == []
    loop = debugging.line("loop")
    debugging.run(f"break program.py:{loop}", "advance walk")
    assert debugging.at("loop")
    assert [each["line"] for each in debugging.run("breakpoints")] == [loop]  # what it aimed at is forgotten
    debugging.run("clear -all", "advance walk")
    assert debugging.stop.frame.name
    assert debugging.run("where 1")[0]["name"] == "walk"


def test_continue_with_a_count_passes_the_breakpoint(debugging: Debugging) -> None:
    debugging.run(f"b program.py:{debugging.line('loop')}")
    debugging.program.stdin_line("a")
    debugging.run("continue", "continue 3")
    assert debugging.run("print number")["value"] == "3"


def test_stack(debugging: Debugging) -> None:
    debugging.run(f"b program.py:{debugging.line('raise')}")
    debugging.program.stdin_line("a")
    debugging.run("continue")
    frames = debugging.run("where")
    assert [frame["name"] for frame in frames] == ["walk"] * 7 + ["handle", "<module>"]
    assert set(frames[0]) == {"name", "path", "line"}
    lines = debugging.text.splitlines()
    assert lines[0].split()[:2] == ["#8", "<module>"]
    assert lines[-1].startswith("→")
    assert "more of walk" in debugging.text
    assert len(debugging.run("where 2")) == 2
    assert debugging.run("where -1")[0]["name"] == "<module>"
    debugging.run("where -full")
    assert "more of" not in debugging.text
    assert debugging.run("up 7")["name"] == "handle"
    assert debugging.run("print word")["value"] == "'a'"
    assert "→" in debugging.text or debugging.run("where")
    assert debugging.run("down")["name"] == "walk"
    assert debugging.run("frame 7 print word")["value"] == "'a'"
    assert debugging.run("frame")["index"] == 6
    assert debugging.run("top")["name"] == "<module>"
    assert debugging.run("bottom")["index"] == 0
    with pytest.raises(ClientError, match="newest"):
        debugging.run("down")


def test_data(debugging: Debugging) -> None:
    debugging.to("print")
    shown = {each["name"]: each for each in debugging.run("locals")}
    assert shown["word"] == {"name": "word", "value": "'hello'", "type": "str"}
    assert len(shown) == len(debugging.run("locals")), "no variable twice"
    assert [each["name"] for each in debugging.run("args")] == ["word"]
    assert [each["name"] for each in debugging.run("locals ^to")] == ["total"]
    names = [each["name"] for each in debugging.run("globals")]
    assert "Counter" in names
    assert "Counter = " not in debugging.text
    assert "more with -v" in debugging.text
    debugging.run("globals -v")
    assert re.search("Counter += <class", debugging.text)
    assert debugging.run("whatis mapping") == {"type": "dict"}
    assert debugging.run("p/x 255")["value"] == "0xff"
    assert json.loads(debugging.run("p/j mapping['nested']")["value"])["deep"][0] == 1
    assert debugging.run("print -a 'x' * 5000")["value"].count("x") == 5000
    assert debugging.run("total + 1") == {"value": "7", "type": "int"}
    assert debugging.run("!total = 9")["value"] == ""
    assert debugging.run("set total = 8")["value"] == "8"
    assert debugging.run("set total += 2")["value"] == "10"
    assert debugging.run("set mapping['word'] = 'new'")["value"] == "'new'"
    assert debugging.run("print mapping['word'], total")["value"] == "('new', 10)"
    text = debugging.run("pp mapping")["value"]
    assert text.splitlines()[0] == "{"
    assert "    'nested': {" in text
    assert "… 50 more" in text
    assert "def add" in debugging.run("src Counter.add")["value"]
    facts = debugging.run("inspect counter.add")
    assert facts["signature"] == "(number, *, twice=False)"
    assert debugging.run("inspect Counter")["doc"] == "Counts."
    assert "append" in debugging.run("completions mapping['numbers'].app")
    debugging.program.wait_line  # noqa: B018
    debugging.run("next")
    debugging.program.wait_line("handled hello 10")


def test_display(debugging: Debugging) -> None:
    debugging.to("for")
    assert debugging.run("display total")["value"] == "0"
    assert debugging.run("display -changed number")["id"] == 2
    debugging.run("next 3")
    assert "1: total = " in debugging.text
    debugging.run("next 2")
    assert "(was " in debugging.text
    assert debugging.run("display /x total + 254")["value"] == "0xff"
    assert "3: /x total + 254 = 0xff" in debugging.text
    with pytest.raises(ClientError, match="SyntaxError"):
        debugging.run("display total +")
    debugging.run("undisplay 3")
    assert len(debugging.run("display")) == 2
    assert len(debugging.run("undisplay 1")) == 1
    assert debugging.run("undisplay number") == []


def test_listing(debugging: Debugging) -> None:
    debugging.to("loop")
    line = debugging.line("loop")
    first = debugging.run("list")
    assert first["current"] == line
    assert first["first"] <= line <= first["last"]
    further = debugging.run("list")
    assert further["first"] == first["last"] + 1
    assert debugging.run("list .") == first
    assert debugging.run("list 1, 3")["lines"][0].startswith("import remora")
    assert "    def add(self, number, *, twice=False):" in debugging.run("list Counter.add")["lines"]
    assert debugging.run("list walk")["path"] == str(debugging.program.path)
    whole = debugging.run("longlist")
    assert whole["first"] == debugging.line("handle") - 1
    assert whole["last"] == debugging.line("end")
    assert any(each["path"] == str(debugging.program.path) for each in debugging.run("sources program"))
    assert any(each["name"] == "__main__" for each in debugging.run("modules main"))


def test_exceptions(debugging: Debugging) -> None:
    assert debugging.run("catch")["catch"] == ["uncaught"]
    assert debugging.run("catch raised KeyError, ValueError")["catch"] == ["raised KeyError, ValueError"]
    debugging.program.stdin_line("a")
    debugging.run("continue")
    assert debugging.at("raise")
    assert debugging.stop is not None
    assert debugging.stop.reason == "exception"
    assert "ValueError" in debugging.text
    assert "the bottom" in debugging.text
    found = debugging.run("exceptions -full")
    assert found["type"] == "ValueError"
    assert debugging.run("catch -off") == {"catch": []}


def test_threads(debugging: Debugging) -> None:
    debugging.to("handle")
    (thread,) = debugging.run("threads")
    assert thread["name"] == "MainThread"
    assert thread["state"] == "stopped"
    assert thread["frame"]["name"] == "handle"
    assert debugging.run(f"thread {thread['id']}")["id"] == thread["id"]
    assert debugging.run(f"thread {thread['id']} where")[0]["name"] == "handle"
    assert debugging.run("thread apply all print word")[0]["result"]["value"] == "'hello'"
    assert debugging.run("where all")[0]["result"][0]["name"] == "handle"


def test_session_commands(debugging: Debugging, tmp_path: Path) -> None:
    debugging.to("loop")
    debugging.run("alias pl print len(%1)", "alias both p %1 + %2")
    assert debugging.run("pl word")["value"] == "5"
    assert debugging.run("both 1 2")["value"] == "3"
    debugging.run("unalias both")
    debugging.run("b Counter.add if number", f"b -disabled -hit '>= 2' program.py:{debugging.line('end')}")
    saved = tmp_path / "saved"
    debugging.run(f"save breakpoints {saved}")
    debugging.run("clear -all", f"source {saved}")
    again = debugging.run("breakpoints")
    assert [each.get("condition") for each in again] == ["number", None]
    assert again[1]["hitCondition"] == ">= 2"
    assert again[1]["enabled"] is False
    script = tmp_path / "script"
    script.write_text("# nothing\np 1 ;; p 2\n\nno_such_name\np 3\n")
    with pytest.raises(ClientError, match=r"script:4: NameError"):
        debugging.run(f"source {script}")
    script.write_text("alias two print 1 ;; print %1\ntwo 7\n")
    assert [each["value"] for each in debugging.run(f"source {script}")[1:]] == ["1", "7"]
    script.write_text(f"source {script}\n")
    with pytest.raises(ClientError, match="deep"):
        debugging.run(f"source {script}")
    assert debugging.run("info breakpoints")[0]["id"] == again[0]["id"]
    assert debugging.run("status")["phase"] == "stopped"
    assert debugging.run("set context 5")["value"] == "5"
    assert debugging.run("config")["context"] == "5"
    assert debugging.run("help break")["aliases"] == ["b"]
    assert "break" in debugging.run("apropos once only")
    assert "continue" in debugging.run("help")


def test_logpoint(debugging: Debugging) -> None:
    debugging.run(f"trace program.py:{debugging.line('loop')} 'number is {{number}}'")
    debugging.to("end")
    told = "".join(body.get("output", "") for event, body in debugging.events if event == "output")
    for number in range(4):
        assert f"number is {number}" in told


def test_a_slip_gets_a_hint(debugging: Debugging) -> None:
    debugging.to("handle")
    with pytest.raises(ClientError, match="Did you mean the command breakpoints"):
        debugging.run("breakpoint_")
    for line in ("theme monokai", "bare-names", "context 5"):
        with pytest.raises(ClientError, match=rf"Is the option meant\? set {line.split()[0]} VALUE"):
            debugging.run(line)
    with pytest.raises(ClientError, match="Did you mean the command where"):
        debugging.run("wheer 3")
    for line in ("nope 3", "nope", "nope 'a' b", "nope -x"):
        with pytest.raises(ClientError, match=r"Error: .*\n  nope is no command, and no variable here: help"):
            debugging.run(line)
    for line in ("word 3", "len 3", "nope + 1", "if x", "nope(3"):
        with pytest.raises((ClientError, RequestFailed)) as caught:
            debugging.run(line)
        assert "no command" not in str(caught.value)
    debugging.run("clear -all", "detach")


def test_a_slip_gets_a_hint_while_the_program_runs(debugging: Debugging) -> None:
    with pytest.raises(NotStopped, match=r"The program is running.*\n  Did you mean the command threads\?"):
        debugging.run("thraeds")
    with pytest.raises(NotStopped, match=r"The program is running.*\n  please is no command: help lists"):
        debugging.run("please go on")


def test_results_are_json(debugging: Debugging) -> None:
    debugging.to("loop")
    for line in (
        "where",
        "locals",
        "threads",
        "breakpoints",
        "help",
        "config",
        "list",
        "status",
        "modules",
        "sources",
    ):
        json.dumps(debugging.run(line))


def test_control_characters_are_made_visible(debugging: Debugging) -> None:
    debugging.to("handle")
    debugging.run("set word = '\\x1b[2J\\x07'")
    for line in ("print word", "locals", "args", "pp word", "display word", "p/s word"):
        debugging.run(line)
        assert "\x1b" not in debugging.text
        assert "\x07" not in debugging.text


def test_functions_by_a_pattern(debugging: Debugging) -> None:
    assert [each["name"] for each in debugging.run("funcs program.py:^Counter")] == [
        "Counter.__init__",
        "Counter.add",
    ]
    made = debugging.run("rbreak program.py:^(walk|handle)$")
    assert [each["line"] for each in made] == [debugging.line("walk"), debugging.line("handle")]
    assert all(each["verified"] for each in made)
    with pytest.raises(ClientError, match="No function"):
        debugging.run("rbreak ^nothing_like_it$")
    with pytest.raises(ClientError, match="called nowhere"):
        debugging.run("rbreak nowhere.py:x")


def test_edit(debugging: Debugging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClientError, match="somebody at a terminal"):  # an editor would wait for ever
        debugging.run("edit program.py:3")
    debugging.ctx.interactive = True
    editor, told = tmp_path / "editor", tmp_path / "told"
    editor.write_text(f'#!/bin/sh\necho "$@" > {told}\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    line = debugging.line("loop")
    assert debugging.run(f"edit program.py:{line}")["exitCode"] == 0
    assert told.read_text() == f"+{line} {debugging.program.path}\n"
    monkeypatch.setenv("VISUAL", str(tmp_path / "nowhere"))
    with pytest.raises(ClientError, match="does not start"):
        debugging.run("edit program.py:3")


def test_a_snapshot_that_comes_late_is_not_taken_for_the_stack_of_a_stop(
    debugging: Debugging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread was running when its stack was asked for, and stops before the answer is here."""
    session = debugging.session
    answer = session.request

    async def stops_meanwhile(command: str, arguments: Any = None, timeout: Any = None) -> dict[str, Any]:
        body = await answer(command, arguments, timeout)
        if command == "stackTrace":
            monkeypatch.undo()
            debugging.program.stdin_line("a")
            while session.stop is None:
                await asyncio.sleep(0)
        return body

    debugging.run(f"b program.py:{debugging.line('loop')}")
    monkeypatch.setattr(session, "request", stops_meanwhile)
    debugging.runner.run(session.stack(1, count=20))
    debugging.run("continue")
    assert debugging.at("loop")
    assert debugging.run("p number")["value"] == "0"


def test_a_condition_that_fails_says_so(debugging: Debugging) -> None:
    debugging.run(f"break program.py:{debugging.line('loop')} if nonsense")
    debugging.program.stdin_line("hello")
    debugging.run("wait")
    assert debugging.at("loop")
    assert "The condition 'nonsense' failed: NameError: name 'nonsense' is not defined" in debugging.text


def test_a_display_of_a_running_program_is_promised(debugging: Debugging) -> None:
    debugging.run("display 40 + 2")
    assert debugging.text == "  1: 40 + 2 is shown at each stop.\n"


def test_the_globals_of_a_modules_own_frame(debugging: Debugging) -> None:
    debugging.to("call")
    assert [each["name"] for each in debugging.run("globals ^line$")] == ["line"]
    assert debugging.run("globals ^nothing$") == []
    assert debugging.text == "No name here matches ^nothing$.\n"
