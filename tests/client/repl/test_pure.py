"""The parts of the prompt that need no terminal."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from prompt_toolkit.document import Document

from remora_client._fragments import Fragments, plain, width_of
from remora_client._model import Breakpoint, Frame, Source, Stop, Thread
from remora_client._sessions._state import State
from remora_client._source._definitions import definitions
from remora_client.commands import classify
from remora_client.repl.history import ProjectHistory, history_file
from remora_client.repl.lexer import LineLexer
from remora_client.repl.output import Above
from remora_client.repl.printer import Printer, output_lines, wants_color
from remora_client.repl.secrecy import may_be_kept
from remora_client.repl.style import style
from remora_client.repl.toolbar import About, toolbar
from remora_client.repl.validator import indentation, needs_more, pieces


@pytest.mark.parametrize(
    "text",
    [
        "x = [",
        "def f():",
        "def f():\n    x = 1",
        "'''a",
        "f(1,",
        "if x:",
        "c = {",
        "!x = (",
        "x = [\n1,",
        "x = [\n",
        "print (1,",
        "p(1,",
        "p [1,",
        "p [1,\n2,",
        "p [1,\n",
        "p/x (n",
        "p 1 + \\",
        'pp """text',
        ":p (1,",
        "!!p (1,",
        "!p(",
        "!for each in x:",
        "!for each in x:\n    y",
        "n + \\",
        "c = f(1,",
        "list (1,",
        "set x = {",
        "b app.py:3 if (",
        "b app.py:3, f(x,",
        "b /^f/ if (x",
        "condition 2 (x",
        "display -changed f(",
        "watch d[",
        "frame 2 p (x,",
        "thread apply all p (x,",
        "return (1,",
        "py for each in session.threads():",
        "py for each in (1, 2):\n    print(each)",
        "@decorator",
        "@decorator\nclass C:",
        "async def f():",
        "async with a as b:",
        "with (",
        "with open(f) as g, \\",
        "if x:\n    pass\nelse:",
        "try:",
        "f(a, \\\n  b",
        "p 1\np (2,",
    ],
)
def test_python_goes_on(text: str) -> None:
    assert needs_more(text)


def test_lines_are_taken_for_breakpoints_that_there_are() -> None:
    some = frozenset({"1", "io"})
    assert all(
        needs_more(text, breakpoints=some) for text in ("commands 1", "on io", "commands", "commands 9\np x")
    )
    assert not any(needs_more(text, breakpoints=some) for text in ("commands 2", "on ui", "commands 1\nend"))
    assert not needs_more("commands", breakpoints=frozenset())
    assert needs_more("commands 9")  # where nobody knows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n",
        "x = 1",
        "x y",
        "p [1,\n2]",
        "p 'an open string",
        "p 1 +",
        "p x if y:",
        "b app.py:3 if (x)",
        "b /f(/",
        "rbreak (",
        "sh echo (",
        "stdin (",
        "trace app.py:3 'x (={x}'",
        "help (",
        "py for each in (1, 2):\n    print(each)\n",
        "frame 2 p (x)",
        "def f():\n    a = 1\n\n    return a\n",
        "def f():\n    x = 1\n",
        "if x: y()",
        "x = [\n1]",
        "!n",
        "!for each in x:\n    y\n",
        "x =",
    ],
)
def test_a_line_is_complete(text: str) -> None:
    assert not needs_more(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\ny = 2", ["x = 1\ny = 2"]),
        ("n = 1\nc = 2", ["n = 1\nc = 2"]),
        ("p 1\np 2", ["p 1", "p 2"]),
        ("b app.py:3\nc\n", ["b app.py:3", "c\n"]),
        ("p (1,\n2)\nn", ["p (1,\n2)", "n"]),
        ("def f():\n    return 1\n\np f()", ["def f():\n    return 1\n", "p f()"]),
        (
            "if x:\n    a = 1\nelse:\n    a = 2\np a\n@d\ndef f():\n\n    pass\np f",
            ["if x:\n    a = 1\nelse:\n    a = 2", "p a", "@d\ndef f():\n\n    pass", "p f"],
        ),
        ("commands 1\np x\nend\nc", ["commands 1\np x\nend", "c"]),
        ("py for i in (1, 2):\n    print(i)\nn", ["py for i in (1, 2):\n    print(i)", "n"]),
        ("x = [\n1 2,\nn\n]", ["x = [\n1 2,\nn\n]"]),  # broken: nothing of it is a command
        ("p 1\nx y z\nc", ["p 1\nx y z\nc"]),
    ],
)
def test_pasted_commands_are_run_one_by_one(text: str, found: list[str]) -> None:
    assert pieces(text) == found


@pytest.mark.parametrize(
    ("text", "blanks"),
    [
        ("def f():", 4),
        ("    if x:  # why", 8),
        ("    x = 1", 4),
        ("    return x", 0),
        ("x", 0),
        ("        pass", 4),
    ],
)
def test_indentation(text: str, blanks: int) -> None:
    assert indentation(text) == " " * blanks


@pytest.mark.parametrize(
    "line",
    [
        " p x",
        "connect tcp://s3cret@host",
        "p 'my_secret'",
        "password = 'x'",
        "set api_key = 3",
        "d['token'] = 1",
        "",
        "PASSWD: str = ''",
    ],
)
def test_no_secret_is_remembered(line: str) -> None:
    assert not may_be_kept(line, ["my_secret"])


@pytest.mark.parametrize("line", ["p x", "b app.py:3", "p password", "secretary()"])
def test_the_rest_is_remembered(line: str) -> None:
    assert may_be_kept(line, ["my_secret"])


def test_history_is_a_file_of_the_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMORA_CONFIG_DIR", str(tmp_path))
    path = history_file("/some/project")
    assert path != history_file("/other/project")
    assert "project" in path.name
    path.parent.mkdir(parents=True)
    path.touch(mode=0o644)  # by somebody else: an editor, say
    history = ProjectHistory(path, ["my_secret"])
    for line in ("p x", "p 'my_secret'", "n"):
        history.append_string(line)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "my_secret" not in path.read_text()
    again = ProjectHistory(path)
    assert again.load_history_strings() == ["n", "p x"]


def test_history_takes_what_was_pasted_in_another_encoding(tmp_path: Path) -> None:
    history = ProjectHistory(tmp_path / "history")
    history.append_string("p 'caf\udce9'")
    assert history.usable
    assert ProjectHistory(tmp_path / "history").load_history_strings() == [r"p 'caf\udce9'"]
    printer = Printer(io.StringIO(), color=False)
    printer.transcript = str(tmp_path / "transcript")
    printer.record("p 'caf\udce9'\n")
    assert (tmp_path / "transcript").read_text() == "p 'caf\\udce9'\n"


def test_history_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    history = ProjectHistory(blocked / "history")
    history.append_string("p x")
    assert not history.usable


def lexed(text: str, names: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    lexer = LineLexer(lambda: frozenset(names), lambda: "command")
    return [(style, part) for style, part, *_ in lexer.lex_document(Document(text))(0) if part.strip()]


def test_the_first_word_shows_what_the_line_will_do() -> None:
    assert lexed("n")[0] == ("class:line-command", "n")
    assert lexed("p x + 1")[:2] == [("class:line-command", "p"), ("class:pygments.name", "x")]
    assert lexed("n = 3")[0] == ("class:pygments.name", "n")
    assert lexed("break app.py:3")[0] == ("class:line-command", "break")
    assert lexed("unknown")[0] == ("class:pygments.name", "unknown")


ABOUT = About("host:5678", True, 4711, "guess.py")
FRAME = Frame(1, "play", Source("guess.py", "/app/guess.py"), 12)


def stopped() -> State:
    bound = Breakpoint(1, "line", "guess.py", 12, verified=True)
    pending = Breakpoint(2, "line", "other.py", 3)
    stop = Stop("breakpoint", 1, frame=FRAME)
    threads = {1: Thread(1, "MainThread")}
    return State(phase="stopped", stop=stop, threads=threads, breakpoints=(bound, pending))


def test_the_bar_tells_where_we_are() -> None:
    text = plain(toolbar(ABOUT, stopped(), FRAME, classify("n"), 200))
    for part in (
        "🔒 host:5678 4711 guess.py",
        "stopped: breakpoint",
        "play guess.py:12",
        "2 breakpoints, 1 pending",
    ):
        assert part in text
    assert "MainThread" in text
    assert text.rstrip().endswith(
        "next: Run to the next line of this function; calls on the way run through."
    )
    assert plain(toolbar(ABOUT, State(), None, classify("x"), 80)).endswith("Python")


def test_the_bar_says_what_a_line_will_do_in_eighty_columns_too() -> None:
    """The frame, which the screen shows above, makes room for it."""
    without = plain(toolbar(ABOUT, stopped(), FRAME, None, 80))
    assert "play guess.py:12" in without
    text = plain(toolbar(ABOUT, stopped(), FRAME, classify("n"), 80))
    assert "stopped: breakpoint" in text
    assert "next: Run to the next line" in text


@pytest.mark.parametrize("width", [10, 40, 60, 80, 120, 200])
def test_the_bar_fits(width: int) -> None:
    text = plain(toolbar(ABOUT, stopped(), FRAME, classify("n"), width))
    assert width_of(text) <= width


def test_output_is_marked_by_its_stream() -> None:
    assert plain(output_lines("stdout", "a\nb\n")) == "out ┊ a\nout ┊ b\n"
    assert plain(output_lines("stderr", "no \x1b[31mcolour")) == "err ┊ no \\x1b[31mcolour\n"


def test_pieces_of_a_line_are_put_together() -> None:
    shown: list[str] = []

    async def show(fragments: Fragments) -> None:
        shown.append(plain(fragments))

    async def main() -> None:
        above = Above(show, pytest.fail)
        for piece in ("a", " ", "b", "\n"):
            above.output("stdout", piece)
        above.add([("", "ours\n")])
        above.output("stderr", "c")
        await above.flush()
        above.output("stderr", "\n")
        above.output("stderr", "d\n")
        await above.close()

    asyncio.run(main())
    assert "".join(shown) == "out ┊ a b\nours\nerr ┊ c\nerr ┊ d\n"


def test_a_flood_is_cut_and_says_so() -> None:
    shown: list[str] = []

    async def show(fragments: Fragments) -> None:
        shown.append(plain(fragments))

    async def main() -> None:
        above = Above(show, pytest.fail)
        for number in range(100_000):
            above.output("stdout", f"line {number}\n")
        await above.close()

    asyncio.run(main())
    text = "".join(shown)
    assert "out ┊ line 0\n" in text
    assert text.endswith("out ┊ line 99999\n")
    assert "lines not shown" in text
    assert len(text) < 100_000


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_when_there_are_colours() -> None:
    assert wants_color(Terminal(), environment={"TERM": "xterm"})
    assert not wants_color(Terminal(), environment={"TERM": "xterm", "NO_COLOR": "1"})
    assert not wants_color(Terminal(), environment={"TERM": "dumb"})
    assert not wants_color(Terminal(), forbidden=True, environment={"TERM": "xterm"})
    assert not wants_color(io.StringIO(), environment={"TERM": "xterm"})


def test_without_unicode_there_is_ascii(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with open(path, "w", encoding="ascii") as stream:
        printer = Printer(stream, color=False)
        printer.transcript = str(tmp_path / "transcript")
        printer.print([("", "→ ● │ ü 🔒 …\n")])
    assert path.read_text() == "> * | \\xfc  ...\n"
    assert (tmp_path / "transcript").read_text() == path.read_text()


def test_what_was_cut_to_fit_is_cut_further_where_ascii_takes_more_columns() -> None:
    printer = Printer(io.TextIOWrapper(io.BytesIO(), "ascii"), color=False)
    cut: Fragments = [("", "wide = "), ("class:x", "'日本日本…"), ("class:type", "  str")]
    assert plain(printer.row(cut, 30)) == r"wide = '\u65e5\u672c...  str"
    assert plain(printer.row([("", "abcdef…")], 7)) == "abcd..."
    whole: Fragments = [("", "'日本日本'")]
    assert plain(printer.row(whole, 12)) == r"'\u65e5\u672c\u65e5\u672c'"


def test_surrogates_reach_no_terminal() -> None:
    stream = Terminal()
    Printer(stream, color=False).print([("", "\udcff\n")])
    stream.getvalue().encode()


def test_definitions() -> None:
    text = "class A:\n    def b(self): ...\nasync def c():\n    def d(): ...\n"
    assert [(each.line, each.name) for each in definitions(text)] == [
        (1, "A"),
        (2, "A.b"),
        (3, "c"),
        (4, "c.d"),
    ]
    assert definitions('def f():\n    "doc"\n    return 1\n')[0].body == 3
    assert definitions("def (") == ()


@pytest.mark.parametrize("row", ["completion-menu", "completion-menu.command"])
def test_a_menu_uses_no_palette_where_nobody_knows_what_is_bright_in_it(row: str) -> None:
    plain = style().get_attrs_for_style_str(f"class:{row}")
    chosen = style().get_attrs_for_style_str(f"class:{row} class:completion-menu.completion.current")
    assert {plain.color, plain.bgcolor, chosen.color, chosen.bgcolor} <= {"", "default"}
    assert (row != "completion-menu" or plain.reverse) and not chosen.reverse
    known = style(background="light").get_attrs_for_style_str("class:completion-menu")
    assert (known.color, known.bgcolor) == ("202020", "dddddd")
