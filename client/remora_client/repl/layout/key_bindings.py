"""What keys do in a layout, beyond editing the line. gdb's where it has one, pudb's inside the panes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.keys import Keys

from remora_client.repl.layout.breakpoints import BreakpointsPane
from remora_client.repl.layout.output import OutputPane
from remora_client.repl.layout.source import SourcePane
from remora_client.repl.layout.variables import VariablesPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.key_binding.key_processor import KeyPressEvent

    from remora_client.repl.layout.arrangement import PaneName
    from remora_client.repl.layout.pane import Pane
    from remora_client.repl.layout.screen import Screen

__all__ = ["pane_bindings", "screen_bindings"]

_STEP = 0.05  # of the width or height, for each key that moves a border
_SIDEWAYS = 8
_FOCUS: dict[str, PaneName] = {
    "C": "source",
    "S": "stack",
    "V": "variables",
    "B": "breakpoints",
    "O": "output",
}
_RUN = {"n": "next", "s": "step", "c": "continue", "r": "return", "f": "return", "u": "up", "d": "down"}


def screen_bindings(screen: Screen, run: Callable[[str], None], leave: Callable[[], None]) -> KeyBindings:
    """Keys that work wherever the focus is.

    Args:
        screen: what they act on.
        run: runs a command.
        leave: ends the session, as Ctrl-D does.
    """
    bindings = KeyBindings()
    handle = bindings.add
    at_prompt = has_focus("DEFAULT_BUFFER")

    @handle("f6")
    @handle("c-x", "o")
    def _(event: KeyPressEvent) -> None:
        """The focus goes to the next pane, from the last one to the prompt."""
        screen.focus_next()

    @handle("f18")  # what terminals send for Shift-F6
    def _(event: KeyPressEvent) -> None:
        """And back."""
        screen.focus_next(-1)

    for digit, kind in (("1", "src"), ("2", "split"), ("3", "vars"), ("a", "off")):

        @handle("c-x", digit)
        def _(event: KeyPressEvent, kind: str = kind) -> None:
            """Another layout, or none."""
            run(f"layout {kind}")

    for key, columns, rows in (("left", 1, 0), ("right", -1, 0), ("up", 0, 1), ("down", 0, -1)):

        @handle("c-x", key)
        def _(event: KeyPressEvent, columns: int = columns, rows: int = rows) -> None:
            """Move the border at the right column's left, or at the output's top."""
            screen.sizes = screen.sizes.wider(columns * _STEP).taller("output", rows * _STEP)

    @handle("pageup", filter=at_prompt)
    def _(event: KeyPressEvent) -> None:
        """Back in the output."""
        screen.output.scroll(1 - screen.output.height)

    @handle("pagedown", filter=at_prompt)
    def _(event: KeyPressEvent) -> None:
        """Forth in the output."""
        screen.output.scroll(screen.output.height - 1)

    @handle("c-up", filter=at_prompt)
    def _(event: KeyPressEvent) -> None:
        """Back in the source."""
        screen.source.scroll(-1)

    @handle("c-down", filter=at_prompt)
    def _(event: KeyPressEvent) -> None:
        """Forth in the source."""
        screen.source.scroll(1)

    @handle("c-d", filter=at_prompt & Condition(lambda: not screen.buffer.text))
    def _(event: KeyPressEvent) -> None:
        """Leave; the program runs on."""
        leave()

    @handle("c-z")
    def _(event: KeyPressEvent) -> None:
        """To the shell, and back with fg."""
        event.app.suspend_to_background()

    return bindings


def pane_bindings(pane: Pane, screen: Screen, run: Callable[[str], None]) -> KeyBindings:
    """Keys of a pane that has the focus."""
    bindings = KeyBindings()

    def on(*keys: str) -> Callable[[Callable[[], object]], None]:
        def bind(function: Callable[[], object]) -> None:
            for key in keys:
                bindings.add(key)(lambda event: function() and None)

        return bind

    on("up", "k")(lambda: pane.move(-1))
    on("down", "j")(lambda: pane.move(1))
    on("pageup")(lambda: pane.move(1 - pane.height))
    on("pagedown")(lambda: pane.move(pane.height - 1))
    on("home", "g")(lambda: pane.move(-pane.count()))
    on("end", "G")(lambda: pane.move(pane.count()))
    on("enter")(pane.act)
    on("tab")(screen.focus_next)
    on("s-tab")(lambda: screen.focus_next(-1))
    on("escape", "q", ":", "!")(screen.focus_prompt)
    on("+")(lambda: screen.resize(taller=(pane.name, _STEP)))
    on("-")(lambda: screen.resize(taller=(pane.name, -_STEP)))
    on("[")(lambda: screen.resize(wider=_STEP))
    on("]")(lambda: screen.resize(wider=-_STEP))
    for key, name in _FOCUS.items():
        on(key)(partial(screen.focus, name))
    if isinstance(pane, SourcePane):
        on("left", "h")(lambda: pane.sideways(-_SIDEWAYS))
        on("right", "l")(lambda: pane.sideways(_SIDEWAYS))
        on("b")(pane.act)
        for key, line in _RUN.items():
            on(key)(partial(run, line))
    elif isinstance(pane, VariablesPane):
        on("left", "h")(pane.close)
        on("right", "l")(pane.open)
        on(" ", "\\")(pane.act)
    elif isinstance(pane, BreakpointsPane):
        on(" ")(pane.toggle)
        on("delete", "d")(pane.delete)
    elif isinstance(pane, OutputPane):
        on("end", "G")(pane.follow)

    @bindings.add(Keys.Any)
    def _(event: KeyPressEvent) -> None:
        """Nothing: half a command that was meant for the prompt must not begin in the middle of it."""

    return bindings
