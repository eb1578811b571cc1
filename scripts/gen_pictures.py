"""Makes the pictures in `docs/pictures`: real sessions with a real program, in a real terminal.

`--check` plays them again and says whether the pictures are what is to be seen today. Names after it choose
some of them; `--size 80x24` and a folder make the same scenes elsewhere, to look at.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.command import Remora  # noqa: E402
from tests.support.interpreters import NEWEST  # noqa: E402
from tests.support.picture import Cell, Row, masked, svg  # noqa: E402
from tests.support.ports import free_port  # noqa: E402
from tests.support.program import Program  # noqa: E402
from tests.support.terminal import Terminal  # noqa: E402

_STILL = 0.7  # seconds without a change, after which a screen is taken for finished
TARGET = ROOT / "docs" / "pictures"


@dataclass
class Session:
    """A shop, somebody who debugs it, and what is to be hidden of both in a picture."""

    program: Program
    terminal: Terminal
    names: dict[str, str] = field(default_factory=dict)

    def line(self, text: str) -> int:
        """The line of the program that holds a text."""
        return self.program.line_with(text)

    def type(self, *lines: str, see: str = "") -> None:
        """Type commands one after the other, each when the one before is done."""
        for each in lines:
            self.terminal.press(each + "\r")
            self.terminal.see(rf"remora❯ {re.escape(each)}$")
            self.terminal.see(r"^(#\d )?remora❯$")
        if see:
            self.terminal.see(see)

    def buy(self, order: str, see: str) -> None:
        """A customer comes."""
        self.program.stdin_line(order)
        self.terminal.see(see)

    def rows(self) -> list[Row]:
        """The screen as it is now, without what changes from run to run."""
        self.terminal.rest(_STILL)
        rows = [
            [Cell(c.data, c.fg, c.bg, c.bold, c.italics, c.reverse) for c in row]
            for row in self.terminal.cells()
        ]
        return [masked(row, self.names) for row in rows]


@dataclass(frozen=True)
class Scene:
    """One picture."""

    title: str
    size: tuple[int, int]
    play: Callable[[Session], None]


def stop(session: Session) -> None:
    """Line by line: a breakpoint, and what a step changes."""
    session.type(f"break shop.py:{session.line('total += ')}", see="Breakpoint 1 at")
    session.buy("Ada tea pot", see="→ +")
    session.type("clear 1", "next", see=r"→ Step")
    session.type("next", "print [each.name for each in self.items]", see="Darjeeling")
    session.type("where", see="#1")
    session.terminal.press("whatis tot")  # a short hint: how much fits depends on the port and the pid


def exception(session: Session) -> None:
    """An exception with its note and what it came from."""
    session.type("catch raised NoAddress", see="Stops at")
    session.buy("Bob cup", see="✖")
    session.type("p order.customer", see="^'Bob'$")


def layout(session: Session) -> None:
    """All panes, a value opened three levels deep."""
    session.type("layout", see="── source")
    session.type(
        f"break shop.py:{session.line('return item.price')} if item.name == 'Cup, blue'", see="breakpoints 1"
    )
    session.buy("Grace tea cup", see=r"→ +#0 +rebate")
    session.type("up", see="#0 +rebate")
    terminal = session.terminal
    for name in ("self", "items", r"\[1\]") if len(terminal.cells()) > 30 else ("self",):
        row = terminal.row_of(rf"▸ {name} = ")
        terminal.click(terminal.text.splitlines()[row - 1].index("▸") + 1, row)
        terminal.see(rf"▾ {name} = ")
    session.type("p price * item.count", see=r"^\d+\.\d+$")


def narrow(session: Session) -> None:
    """The same on a telephone."""
    session.type("layout", see="── source")
    session.type(f"b {session.line('total += ')}", see="Breakpoint 1")
    session.buy("Ada cup", see=r"→ +#0")
    session.terminal.see("hit 1 time")
    session.terminal.see("▸ item")


def call(session: Session) -> None:
    """A call that stops inside."""
    session.type(f"break shop.py:{session.line('return round')}", see="Breakpoint 1 at")
    session.buy("Ada tea pot", see="→ +")
    session.type(f"tbreak shop.py:{session.line('share = ')}", see="Breakpoint 2 at")
    session.terminal.press("call rebate(self.items[0], 'Grace')\r")
    session.terminal.see(r"^\(2\) remora❯$")
    session.terminal.press("print regular[customer]\r")
    session.terminal.see(r"^0\.05$")
    session.terminal.press("continue\r")
    session.terminal.see("Back from the call")


def breakpoints(session: Session) -> None:
    """Breakpoints of several kinds, and what came of them."""
    price = session.line("price = rebate")
    session.type(f"break shop.py:{price} if item.price > 40", see="Breakpoint 1 at")
    session.type("trace rebate 'for {customer}: {item.name}'", see="Logpoint 2")
    session.type("tbreak ship", "commands 3 print order.customer", see="on hit")
    session.buy("Ada tea pot", see="→ +")
    session.type("breakpoints", see="hit 1 time")
    session.terminal.press("continue\r")
    session.terminal.see("^'Ada'$")


def data(session: Session) -> None:
    """Values, whole and in part."""
    session.type(f"break shop.py:{session.line('total += ')}", see="Breakpoint 1 at")
    session.buy("Ada tea pot", see="→ +")
    session.type("pp self", "display -changed total", "print item.price * 2", "print $_ + 1", see=r"^16\.0$")
    session.type("next", "set total = 100", "whatis rebate", see="^function$")


def sources(session: Session) -> None:
    """Functions, and the source of one."""
    session.type("funcs .", "rbreak ^(rebate|ship)$", see="Together they are called")
    session.buy("Ada tea", see="→ +")
    session.type("list NoAddress", "src Item", "fetch shop.py | wc -l", see=r"^ *\d+$")


SCENES = {
    "call": Scene("A call that stops at a breakpoint inside it", (88, 42), call),
    "breakpoints": Scene("Breakpoints, and what came of them", (88, 34), breakpoints),
    "data": Scene("Values at the prompt", (88, 48), data),
    "sources": Scene("Functions and source", (88, 38), sources),
    "stop": Scene("A stop at the prompt, and what a step changed", (88, 34), stop),
    "exception": Scene("A stop at an exception, with its note and its cause", (88, 20), exception),
    "layout": Scene("The panes of layout split", (120, 38), layout),
    "narrow": Scene("The same panes in forty columns", (40, 30), narrow),
}


@contextmanager
def opened(size: tuple[int, int], environment: dict[str, str]) -> Iterator[Session]:
    """The shop, and a terminal attached to it."""
    assert NEWEST is not None
    port = free_port()
    argv = ["-m", "remora", "--listen", f"127.0.0.1:{port}", "--no-secret", "{script}"]
    with tempfile.TemporaryDirectory() as folder, Program(NEWEST, "shop.py", argv=argv) as program:
        program.wait_line("open")
        remora = Remora(Path(folder), program.directory)
        with remora.terminal("attach", f"tcp://127.0.0.1:{port}", env=environment, size=size) as terminal:
            terminal.see("remora❯")
            names = {
                str(program.directory): "/home/ada/shop",
                f"127.0.0.1:{port} {program.pid} ": "127.0.0.1:5678 4711 ",
                f"127.0.0.1:{port}": "127.0.0.1:5678",
            }
            session = Session(program, terminal, names)
            terminal.press("\x0c")  # a clear screen: versions and folders are nobody's business
            terminal.wait_until(lambda: "Attached" not in terminal.text, "a clear screen")
            yield session
            program.process.kill()


def play(name: str, size: tuple[int, int] | None = None) -> str:
    """The picture, made now."""
    scene = SCENES[name]
    environment = {"NO_COLOR": "", "PROMPT_TOOLKIT_COLOR_DEPTH": "DEPTH_4_BIT", "COLORTERM": ""}
    with opened(size or scene.size, environment) as session:
        scene.play(session)
        return svg(session.rows(), scene.title)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--size", help="of the terminal, in place of each scene's own")
    parser.add_argument("--folder", type=Path, default=TARGET)
    parser.add_argument("names", nargs="*", choices=[*SCENES, []])
    options = parser.parse_args()
    size = tuple(map(int, options.size.split("x"))) if options.size else None
    stale = []
    for name in options.names or SCENES:
        path = options.folder / f"{name}.svg"
        picture = play(name, size)
        if not options.check:
            options.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(picture, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != picture:
            stale.append(name)
    if stale:
        print(f"stale: {', '.join(stale)}; run scripts/gen_pictures.py")
    return 1 if stale else 0


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
