"""The panes of `layout` in a real terminal: what a person sees there, and what keys and clicks do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.command import REMORA, Remora, client_environment
from tests.support.interpreters import NEWEST
from tests.support.program import Program
from tests.support.terminal import Terminal

PROGRAM = """\
import sys, time


class Point:
    def __init__(self, x):
        self.x = x
        self.inside = {"first": {"second": {"third": "at the bottom"}}}


def look(count):
    point = Point(count)
    many = list(range(1000, 2000))
    wide = "日本語" * 100
    count += 1  # @look
    again = count  # @again
    return again  # @return


print("ready", flush=True)
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "print":
        for number in range(int(rest)):
            print("line", number, flush=True)
            time.sleep(0.0005)
    elif word == "look":
        print("looked", look(int(rest)), flush=True)
    elif word == "exit":
        sys.exit(int(rest))
"""
SMALL, LARGE = (80, 24), (200, 60)
UP, DOWN, LEFT = "\x1b[A", "\x1b[B", "\x1b[D"
PAGE_DOWN, PAGE_UP, F6 = "\x1b[6~", "\x1b[5~", "\x1b[17~"
PROMPT = "remora❯"


@pytest.fixture
def program() -> Iterator[Program]:
    assert NEWEST is not None
    with Program(NEWEST, PROGRAM, enable={"secret": None}) as started:
        started.wait_line("ready")
        yield started


def attached(
    remora: Remora,
    program: Program,
    size: tuple[int, int] = SMALL,
    *,
    env: dict[str, str] | None = None,
    layout: str = "layout split",
) -> Terminal:
    given = ("-c", layout) if layout else ()
    terminal = remora.terminal(
        "attach", program.qualifier, "--source", str(program.directory), *given, env=env, size=size
    )
    terminal.see("── output|-- output" if layout else PROMPT)
    return terminal


def stop(terminal: Terminal, program: Program, marker: str = "look", number: int = 3) -> int:
    """Runs the program into a breakpoint."""
    line = program.line(marker)
    terminal.press(f"tbreak program.py:{line}\r")
    terminal.see(f"Breakpoint 1 at program.py:{line}")
    program.stdin_line(f"look {number}")
    terminal.see(rf"→ +{line} ")
    terminal.see("Locals")
    return line


def leave(terminal: Terminal) -> None:
    terminal.press("quit -c\r")
    assert terminal.returncode() == 0
    assert_restored(terminal)


def assert_restored(terminal: Terminal) -> None:
    """Every mode of the terminal that was switched on was switched off again."""
    assert "Traceback" not in terminal.text
    for mode in (b"?1049", b"?1000", b"?1003", b"?2004"):
        on, off = terminal.raw.rfind(b"\x1b[" + mode + b"h"), terminal.raw.rfind(b"\x1b[" + mode + b"l")
        assert on < off or on == -1, mode
    assert terminal.raw.rfind(b"\x1b[?25l") < terminal.raw.rfind(b"\x1b[?25h")


def column_of(terminal: Terminal, row: int, text: str) -> int:
    return terminal.text.splitlines()[row - 1].index(text) + 1


# -- panes ------------------------------------------------------------------------------------------


def test_all_panes_on_a_small_terminal(remora: Remora, program: Program) -> None:
    with attached(remora, program, SMALL) as terminal:
        terminal.see("class Point:")  # the script, before there is any stop
        terminal.see(r"None\. Click a line number, or\b.*\n.* type break\.")  # not cut in the narrow pane
        line = stop(terminal, program)
        for pane in ("source", "stack", "variables", "breakpoints", "output"):
            terminal.see(f"── {pane} ")
        terminal.see(rf"→ +{line} │ +count \+= 1")
        terminal.see("→ +#0 +look +program.py")
        terminal.see("count = 3")
        rows = terminal.text.splitlines()
        assert len(rows) == SMALL[1]
        assert rows[-2].startswith(PROMPT)
        assert "stopped: breakpoint · look program.py" in rows[-1]
        terminal.press("p count * 100\r")
        terminal.see("^300$")
        leave(terminal)
        assert "300" in terminal.text  # what was in the output pane last stays behind


def test_a_step_moves_all_panes(remora: Remora, program: Program) -> None:
    with attached(remora, program, LARGE) as terminal:
        stop(terminal, program)
        terminal.press("n\r")
        terminal.see(rf"→ +{program.line('again')} ")
        terminal.see("count = 4")
        terminal.press("r\r")
        terminal.see("Return value")
        terminal.press("p again\r")
        terminal.see("^4$")
        terminal.press("c\r")
        terminal.see("out ┊ looked 4")
        terminal.see("stack ─+\n.*The program runs")
        leave(terminal)


def test_other_sizes_of_the_terminal(remora: Remora, program: Program) -> None:
    with attached(remora, program, LARGE) as terminal:
        line = stop(terminal, program)
        for columns, rows in ((120, 40), (80, 24), (40, 20), (40, 8), (20, 5), (200, 60)):
            terminal.resize(columns, rows)
            terminal.see(rf"→ +{line} ")
            terminal.see(rf"^{PROMPT}")
            terminal.wait_until(partial(has_rows, terminal, rows), "all rows")
        terminal.see("── breakpoints ")
        leave(terminal)


def has_rows(terminal: Terminal, rows: int) -> bool:
    return len(terminal.text.splitlines()) == rows


def test_other_layouts(remora: Remora, program: Program) -> None:
    with attached(remora, program, layout="") as terminal:
        stop_in_lines = program.line("look")
        terminal.enter(f"tbreak program.py:{stop_in_lines}")
        terminal.wait("Breakpoint 1 at")
        program.stdin_line("look 3")
        terminal.wait(rf"→ +{stop_in_lines} ")
        terminal.enter("layout vars")
        terminal.see("── variables ")
        terminal.see("── stack ")
        assert "── source" not in terminal.text
        terminal.press("tui src\r")
        terminal.see("── source ")
        assert "── variables" not in terminal.text
        terminal.press("\x18" + "2")  # Ctrl-X 2
        terminal.see("── breakpoints ")
        terminal.press("layout nonsense\r")
        terminal.see("There is no layout 'nonsense'")
        terminal.press("\x18a")
        terminal.wait_until(lambda: "── source" not in terminal.text, "lines")
        terminal.enter("p count")
        terminal.wait("^3$")
        assert "Breakpoint 1 at" in terminal.text  # what was there before the panes
        leave(terminal)


# -- the mouse --------------------------------------------------------------------------------------


def test_clicks(remora: Remora, program: Program) -> None:
    with attached(remora, program, (120, 40)) as terminal:
        stop(terminal, program)
        line = program.line("again")
        row = terminal.row_of(rf"^ +{line} │")
        terminal.click(2, row)
        terminal.see(rf"^● +{line} │")
        terminal.see(rf"remora❯ break {line}")
        terminal.click(2, row)
        terminal.see(rf"^  +{line} │")
        terminal.see("Breakpoint 2 removed")

        row = terminal.row_of("#1 +<module>")
        terminal.click(column_of(terminal, row, "#1"), row)
        terminal.see("→ +#1 +<module>")
        terminal.see("#1 remora❯")
        row = terminal.row_of("#0 +look")
        terminal.click(column_of(terminal, row, "#0"), row)
        terminal.see("variables #0 look")

        row = terminal.row_of("▸ point = ")
        terminal.click(column_of(terminal, row, "▸"), row)
        terminal.see("▾ point = ")
        terminal.see("x = 3")
        terminal.click(column_of(terminal, row, "▾"), row)
        terminal.see("▸ point = ")
        leave(terminal)


def test_the_wheel(remora: Remora, program: Program) -> None:
    with attached(remora, program) as terminal:
        stop(terminal, program)
        assert "class Point" not in terminal.text
        for _ in range(8):
            terminal.click(20, 4, button=64)
        terminal.see("class Point:")
        program.stdin_line("x")
        for number in range(40):
            terminal.press(f"p {number} + 1000\r")
        terminal.see("^1039$")
        row = terminal.row_of("── output")
        for _ in range(30):
            terminal.click(20, row + 1, button=64)
        terminal.see(r"output [\d,]+ more, End")
        terminal.see("Breakpoint 1 at")
        for _ in range(40):
            terminal.click(20, row + 1, button=65)
        terminal.see("^1039$")
        leave(terminal)


def test_without_the_mouse(remora: Remora, program: Program) -> None:
    with attached(remora, program, layout="") as terminal:
        terminal.enter("set mouse off")
        terminal.enter("layout")
        terminal.see("── source")
        terminal.press("p 1\r")
        assert b"\x1b[?1000h" not in terminal.raw
        terminal.press("set mouse on\r")
        terminal.see("mouse is on")
        terminal.wait_until(lambda: b"\x1b[?1000h" in terminal.raw, "mouse reports")
        leave(terminal)


# -- keys -------------------------------------------------------------------------------------------


def test_variables_open_level_by_level(remora: Remora, program: Program) -> None:
    with attached(remora, program, LARGE) as terminal:
        stop(terminal, program)
        terminal.press("\x18o\x18o\x18o")  # source, stack, variables
        terminal.see("variables Enter: open")
        for name, inside in (
            ("point", "inside = "),
            ("inside", "'first' = "),
            ("'first'", "'second' = "),
            ("'second'", "'third' = 'at the bottom'"),
        ):
            choose(terminal, f"▸ {name} = ")
            terminal.press("\r")
            terminal.see(rf"▾ {name} = ")
            terminal.see(inside)
        choose(terminal, "'third' = ")
        terminal.press("\r")  # a value without anything inside is printed
        terminal.see(r"remora❯ print point\.inside\['first'\]\['second'\]\['third'\]")
        terminal.see("^'at the bottom'$")
        for _ in range(5):
            terminal.press(LEFT + LEFT)  # close, and to the parent
        terminal.see("▸ Locals")
        leave_pane(terminal)
        terminal.press("n\r")
        terminal.see(rf"→ +{program.line('again')} ")
        terminal.see("▸ Locals")  # what was closed stays closed
        leave(terminal)


def test_many_items_come_a_page_at_a_time(remora: Remora, program: Program) -> None:
    with attached(remora, program, layout="layout vars") as terminal:
        stop(terminal, program)
        row = terminal.row_of("▸ many = ")
        terminal.click(5, row)
        terminal.see(r"\[0\] = 1000")
        terminal.press("\x18o\x1b[F")  # to the last row: Globals
        for _ in range(20):
            if "900 more" in terminal.text:
                break
            terminal.press(UP)
        row = terminal.row_of("900 more")
        terminal.click(8, row)
        terminal.see(r"\[100\] = 1100")
        terminal.press("\x1b[F" + UP + UP)
        terminal.see("800 more")
        leave_pane(terminal)
        leave(terminal)


def chosen(terminal: Terminal) -> str:
    """The row that keys act on: it is shown in reverse."""
    buffer = terminal._screen.buffer
    rows = ["".join(cell.data for cell in row.values() if cell.reverse) for _, row in sorted(buffer.items())]
    return max(rows, key=len)


def choose(terminal: Terminal, text: str) -> None:
    """Goes down to a row."""
    for _ in range(20):
        terminal.settle()  # half of a redraw shows no row or another one
        before = chosen(terminal)
        if text in before:
            return
        terminal.press("j")
        terminal.wait_until(lambda before=before: chosen(terminal) != before, "another row")  # type: ignore[misc]
    raise AssertionError(f"no row with {text}:\n{terminal.text}")


def leave_pane(terminal: Terminal) -> None:
    terminal.press(":")
    terminal.see(r"stopped: \w+")


def test_keys_in_the_source(remora: Remora, program: Program) -> None:
    with attached(remora, program, (120, 40)) as terminal:
        line = stop(terminal, program)
        terminal.press(F6)
        terminal.see("source Enter, b: breakpoint")
        terminal.press(DOWN + "b")
        terminal.see(rf"^● +{line + 1} │")
        terminal.press("\r")
        terminal.see(rf"^  +{line + 1} │")
        terminal.press("n")
        terminal.see(rf"^.→ +{line + 1} │")
        terminal.press("u")
        terminal.see("→ +#1 +<module>")
        terminal.press("layou")  # no key of these begins half a command
        terminal.press("d")
        terminal.see("→ +#0 +look")
        terminal.press("G")
        terminal.see("sys.exit")
        terminal.press("B")
        terminal.see("breakpoints Enter: show")
        terminal.press(F6 + F6)
        leave_pane(terminal)
        leave(terminal)


def test_keys_on_breakpoints(remora: Remora, program: Program) -> None:
    with attached(remora, program, (120, 40)) as terminal:
        terminal.press(f"b program.py:{program.line('again')}\r")
        terminal.see("breakpoints 1")
        terminal.press(F6 + "B")
        terminal.see("breakpoints Enter: show")
        terminal.press(" ")
        terminal.see("○ +program.py:.*disabled")
        terminal.press(" ")
        terminal.see("● +program.py:")
        terminal.press("\r")
        terminal.see("remora❯ list .*program.py")
        terminal.press("d")
        terminal.see("Breakpoint 1 removed")
        terminal.press(":")
        leave(terminal)


def test_borders_move(remora: Remora, program: Program) -> None:
    with attached(remora, program) as terminal:
        stop(terminal, program)
        border, output = column_of(terminal, 1, "│── stack"), terminal.row_of("── output")
        terminal.press(("\x18" + LEFT) * 3)
        terminal.wait_until(lambda: column_of(terminal, 1, "│── stack") < border - 8, "a wider column")
        terminal.press(("\x18" + UP) * 3)
        terminal.wait_until(lambda: terminal.row_of("── output") < output - 2, "a taller output")
        terminal.press(F6 + "V++++")
        terminal.see("variables Enter")
        terminal.press("]]]]]]")
        terminal.wait_until(lambda: column_of(terminal, 1, "│── stack") > border, "a narrower column")
        leave_pane(terminal)
        leave(terminal)


def drag(terminal: Terminal, start: tuple[int, int], end: tuple[int, int]) -> None:
    """The left button goes down at a column and row, from 1, and up elsewhere."""
    (column, row), (to_column, to_row) = start, end
    terminal.settle()
    terminal.child.send(f"\x1b[<0;{column};{row}M\x1b[<32;{to_column};{to_row}M")
    terminal.rest(0.1)
    terminal.child.send(f"\x1b[<0;{to_column};{to_row}m")


def test_borders_are_dragged(remora: Remora, program: Program) -> None:
    with attached(remora, program, LARGE) as terminal:
        stop(terminal, program)
        border, output = column_of(terminal, 1, "│── stack"), terminal.row_of("── output")
        drag(terminal, (border, 5), (border - 10, 6))
        terminal.wait_until(lambda: column_of(terminal, 1, "│── stack") == border - 10, "a wider column")
        drag(terminal, (10, output), (20, output - 3))
        terminal.wait_until(lambda: terminal.row_of("── output") == output - 3, "a taller output")
        variables = terminal.row_of("── variables")
        drag(terminal, (border, variables), (border + 2, variables + 2))
        terminal.wait_until(lambda: terminal.row_of("── variables") == variables + 2, "a taller stack")
        terminal.click(border, terminal.row_of("── variables"))  # not moved: it gives the pane the keys
        terminal.see("variables Enter")
        leave_pane(terminal)
        leave(terminal)


def test_the_line_editor_is_the_same(remora: Remora, program: Program) -> None:
    with attached(remora, program, layout="") as terminal:
        terminal.enter("p 'before'")
        terminal.enter("layout")
        terminal.see("── source")
        stop(terminal, program)
        terminal.press("p point.insi\t")
        terminal.see(r"^remora❯ p point\.inside")
        terminal.press("\x03")
        terminal.press(UP * 3)
        terminal.see("^remora❯ p 'before'")
        terminal.press("\x03total = [1,\r")
        terminal.see("^ +… $|^ +…$")
        terminal.press("2]\r")
        terminal.press("sum(total)\r")
        terminal.see("^3$")
        terminal.press("lay\t")
        terminal.see("^remora❯ layout")
        terminal.press("\x03clear\r")
        terminal.press("b 3\rclear\r")
        terminal.see(r"Remove .*\? \[y/N\]")
        terminal.press("y\r")
        terminal.see("Breakpoints? [\\d, ]+ removed")
        leave(terminal)


def test_another_program_gets_the_terminal_for_a_while(remora: Remora, program: Program) -> None:
    with attached(remora, program) as terminal:
        terminal.press("sh echo $((600 + 66))\r")
        terminal.see("^666$")
        terminal.see("Enter brings the panes back")
        assert "── source" not in terminal.text
        terminal.press("\r")
        terminal.see("── source")
        leave(terminal)


# -- while it runs ----------------------------------------------------------------------------------


def test_a_line_being_typed_survives_a_flood(remora: Remora, program: Program) -> None:
    with attached(remora, program) as terminal:
        program.stdin_line("print 2000")
        terminal.see("out ┊ line")
        for key in "print 'typed":
            terminal.child.send(key)
            terminal.see("out ┊ line")
        terminal.see("^remora❯ print 'typed")
        terminal.see("out ┊ line 1999$", timeout=60)
        terminal.see("^remora❯ print 'typed$")
        terminal.press("\x03")
        terminal.press(PAGE_UP)
        terminal.see("more, End")
        terminal.press("\x03")
        program.stdin_line("print 100000")
        terminal.press(PAGE_DOWN)
        terminal.press("\x03")
        terminal.see("stopped: pause")
        leave(terminal)
        program.signal(signal.SIGKILL)


# -- the way back -----------------------------------------------------------------------------------


def test_leaving_gives_the_terminal_back(remora: Remora, program: Program) -> None:
    with attached(remora, program, layout="") as terminal:
        before = termios.tcgetattr(terminal.child.child_fd)
        terminal.enter("layout")
        terminal.see("── source")
        terminal.press("layout off\r")
        terminal.wait_until(lambda: b"\x1b[?1049l" in terminal.raw, "the main screen")
        terminal.see("^remora❯$")
        assert termios.tcgetattr(terminal.child.child_fd) == before
        terminal.enter("layout")
        terminal.see("── source")
        terminal.press("\x04")
        assert terminal.returncode() == 0
        assert_restored(terminal)
        assert "Detached; the program runs on." in terminal.text


def test_the_end_of_the_program(remora: Remora, program: Program) -> None:
    with attached(remora, program) as terminal:
        program.stdin_line("print 3")
        program.stdin_line("exit 3")
        assert terminal.returncode() == 0
        assert_restored(terminal)
        assert "out ┊ line 2" in terminal.text
        assert "The program ended" in terminal.text


def test_the_connection_dies(remora: Remora, program: Program) -> None:
    with attached(remora, program) as terminal:
        terminal.press("half a li")
        program.signal(signal.SIGKILL)
        assert terminal.returncode() == 7
        assert_restored(terminal)
        assert "The session is over" in terminal.text


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_it(remora: Remora, program: Program, name: str) -> None:
    number = signal.Signals[name]
    with attached(remora, program) as terminal:
        os.kill(terminal.pid, number)
        assert terminal.returncode() == 128 + number
        assert_restored(terminal)
    program.stdin_line("look 3")
    program.wait_line("looked 4")


def test_a_bug_in_a_pane_leads_back_to_lines(remora: Remora, program: Program) -> None:
    host, port = program.address
    code = (
        "from remora_client.repl.layout.stack import StackPane\n"
        "StackPane.title = lambda self: 1 // (not self._view.frames)\n"
        "from remora_client.cli import main\n"
        f"raise SystemExit(main(['attach', 'tcp://{host}:{port}', '-c', 'layout']))\n"
    )
    environment = client_environment(remora.configuration)
    with Terminal([sys.executable, "-c", code], env=environment, cwd=remora.folder, size=SMALL) as terminal:
        terminal.see("── source")
        terminal.press("pause\r")
        program.stdin_line("look 3")
        terminal.see("A bug in Remora, please report it: ZeroDivisionError")
        terminal.enter("help quit")
        terminal.wait("also: q, exit")
        leave(terminal)


# -- terminals of all kinds -------------------------------------------------------------------------


def test_where_there_is_no_terminal(remora: Remora, program: Program) -> None:
    ran = subprocess.run(
        [REMORA, "attach", program.qualifier],
        input="layout\nhelp layout\n",
        env=client_environment(remora.configuration),
        cwd=remora.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Panes need a terminal that can move its cursor, and this is none." in ran.stdout
    assert "\x1b" not in ran.stdout


def test_a_dumb_terminal(remora: Remora, program: Program) -> None:
    environment = {**client_environment(remora.configuration), "TERM": "dumb"}
    command = ["env", "TERM=dumb", REMORA, "attach", program.qualifier]
    with Terminal(command, env=environment, cwd=remora.folder) as terminal:
        terminal.see(r"\(running\)")
        terminal.enter("layout split")
        terminal.see("Panes need a terminal that can move its cursor")
        terminal.enter("quit -c")
        assert terminal.returncode() == 0
        assert b"\x1b" not in terminal.raw


def test_no_colour(remora: Remora, program: Program) -> None:
    with attached(remora, program, env={"NO_COLOR": "1"}) as terminal:
        stop(terminal, program)
        terminal.press(F6)
        terminal.see("source Enter")
        terminal.press(":")
        leave(terminal)
        codes = {
            code for found in re.findall(rb"\x1b\[([\d;]*)m", terminal.raw) for code in found.split(b";")
        }
        assert codes <= {b"", b"0", b"1", b"3", b"4", b"7"}, codes


@pytest.mark.parametrize(
    ("depth", "sequence"),
    [
        ("DEPTH_4_BIT", rb"\x1b\[[\d;]*3[1-7]m"),
        ("DEPTH_8_BIT", rb"\x1b\[[\d;]*3[1-7]"),
        ("DEPTH_24_BIT", rb"\x1b\[[\d;]*3[1-7]"),
    ],
)
def test_colours(remora: Remora, program: Program, depth: str, sequence: bytes) -> None:
    with attached(remora, program, env={"NO_COLOR": "", "PROMPT_TOOLKIT_COLOR_DEPTH": depth}) as terminal:
        stop(terminal, program)
        assert re.search(sequence, terminal.raw)
        leave(terminal)


def test_a_locale_without_unicode(remora: Remora, program: Program) -> None:
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    with attached(remora, program, LARGE, env=env) as terminal:
        line = program.line("look")
        terminal.press(f"b program.py:{line}\r")
        terminal.see(rf"^\* +{line} \|")
        program.stdin_line("look 3")
        terminal.see(rf"^\*> +{line} \|")
        terminal.see(r"> point = ")
        terminal.press("p wide\r")
        terminal.see(r"\\u65e5")
        leave(terminal)
        assert terminal.raw.isascii()


def test_rows_that_fit_do_so_in_a_locale_without_unicode(remora: Remora, program: Program) -> None:
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    with attached(remora, program, (70, 60), env=env) as terminal:
        terminal.press("layout off\r")
        terminal.see("remora> layout off")
        terminal.press(f"tbreak program.py:{program.line('look')}\r")
        terminal.see("Breakpoint 1 at")
        program.stdin_line("look 3")
        terminal.see("Temporary breakpoint 1")
        terminal.press("locals\r")
        terminal.wait(r"^ wide .*\\u65e5\S*\.\.\. +str$")
        terminal.wait(r"^remora>$")
        rows = terminal.recent.splitlines()
        shown = rows[rows.index("remora> locals") + 1 : rows.index("remora>")]
        assert all(re.match(r" \w+ += ", row) for row in shown), terminal.text
        terminal.press("layout\r")
        terminal.see(r"wide = '\\u65e5\S*\.\.\.$")
        leave(terminal)


def test_the_chosen_row_has_one_look(remora: Remora, program: Program) -> None:
    with attached(remora, program, (120, 40), env={"NO_COLOR": ""}) as terminal:
        stop(terminal, program)
        terminal.press(F6)
        terminal.see("source Enter, b: breakpoint")
        row = terminal.cells()[terminal.row_of(r"^.→ ") - 1]
        border = next(column for column, cell in enumerate(row) if not cell.reverse)
        assert border > 60
        assert len({(cell.fg, cell.bg, cell.bold) for cell in row[:border]}) == 1
        leave_pane(terminal)
        leave(terminal)


def test_wide_characters_do_not_shift_the_panes(remora: Remora, program: Program) -> None:
    with attached(remora, program, (100, 30)) as terminal:
        stop(terminal, program)
        terminal.see("wide = '日本語日本語")
        border = terminal._screen.buffer
        column = column_of(terminal, 1, "│── stack") - 1
        bottom = terminal.row_of("── output") - 1
        assert {border[y][column].data for y in range(bottom)} == {"│"}
        leave(terminal)


def test_a_start_does_not_import_the_panes() -> None:
    code = (
        "import sys, remora_client.repl.attach, remora_client.repl.line_editor\n"
        "print([name for name in sys.modules if 'repl.layout' in name])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
