"""The full-screen application: panes above, the line being typed and the bar below them.

It is made of prompt_toolkit's parts, and of the same `LineEditor` as the prompt in lines. Runs on the event
loop's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import merge_key_bindings
from prompt_toolkit.key_binding.bindings.auto_suggest import load_auto_suggest_bindings
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    DynamicContainer,
    Float,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import (
    AppendAutoSuggestion,
    HighlightIncrementalSearchProcessor,
    HighlightSelectionProcessor,
)
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.styles import DynamicStyle
from prompt_toolkit.widgets import SearchToolbar

from remora_client.repl.layout.arrangement import Arrangement, Border, Sizes, arrange, borders
from remora_client.repl.layout.borders import MovableBorders
from remora_client.repl.layout.breakpoints import BreakpointsPane
from remora_client.repl.layout.key_bindings import pane_bindings, screen_bindings
from remora_client.repl.layout.output import OutputPane
from remora_client.repl.layout.pane import PaneControl
from remora_client.repl.layout.source import SourcePane
from remora_client.repl.layout.stack import StackPane
from remora_client.repl.layout.variables import VariablesPane

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.layout import AnyContainer

    from remora_client._fragments import Fragments
    from remora_client.repl.app import Repl
    from remora_client.repl.layout.arrangement import Kind, PaneName, Slot
    from remora_client.repl.layout.pane import Pane
    from remora_client.repl.layout.view import View
    from remora_client.repl.line_editor import LineEditor

__all__ = ["Screen"]

_BETWEEN_REDRAWS = 0.04  # seconds; a flood of output is seen 25 times a second, and keys get their turn
_MENU_ROWS = 10


class Screen:
    """What is on the terminal while a layout is shown.

    Args:
        repl: whose prompt it is.
        editor: the parts of the line being typed.
        view: what the panes show.
        accept: takes a line that was typed, or that a pane has made of a key or click.
        leave: called for Ctrl-D.
        later: runs something that asks the server.
    """

    def __init__(
        self,
        repl: Repl,
        editor: LineEditor,
        view: View,
        *,
        accept: Callable[[str], None],
        leave: Callable[[], None],
        later: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self.terminal = create_output()
        self.kind: Kind = "split"
        self.sizes = Sizes()
        self.question = ""
        self._repl = repl
        self._editor = editor
        self._accept = accept
        self.source = SourcePane(view, accept)
        self.output = OutputPane()
        self._panes: dict[PaneName, Pane] = {
            "source": self.source,
            "stack": StackPane(view, accept),
            "variables": VariablesPane(view, accept, later),
            "breakpoints": BreakpointsPane(view, accept),
            "output": self.output,
        }
        self._rows: dict[PaneName, int] = {}
        self._windows = {name: self._window(pane) for name, pane in self._panes.items()}
        self.buffer = Buffer(
            name=DEFAULT_BUFFER,
            multiline=True,
            completer=editor.completer,
            history=editor.history,
            auto_suggest=editor.auto_suggest,
            accept_handler=self._entered,
        )
        self._search = SearchToolbar()
        self.app: Application[None] = self._application(leave)

    def _application(self, leave: Callable[[], None]) -> Application[None]:
        repl, editor = self._repl, self._editor
        return Application(
            Layout(self._root(), focused_element=self.buffer),
            key_bindings=merge_key_bindings(
                [
                    load_auto_suggest_bindings(),
                    editor.key_bindings,
                    screen_bindings(self, self._accept, leave),
                ]
            ),
            style=DynamicStyle(repl.printer.style),
            include_default_pygments_style=False,
            color_depth=None if repl.printer.color else ColorDepth.DEPTH_1_BIT,
            output=self.terminal,
            full_screen=True,
            mouse_support=Condition(lambda: repl.ctx.settings.mouse == "on"),
            min_redraw_interval=_BETWEEN_REDRAWS,
        )

    def _entered(self, buffer: Buffer) -> bool:
        text = buffer.text
        if self.question:
            buffer.reset()  # an answer is nothing to remember
        self._accept(text)
        return False

    # -- what is where ----------------------------------------------------------------------------

    def _root(self) -> AnyContainer:
        body = HSplit([DynamicContainer(self._arranged), self._prompt(), self._search, self._bar()])
        menu = Float(CompletionsMenu(max_height=_MENU_ROWS, scroll_offset=1), xcursor=True, ycursor=True)
        return MovableBorders(
            body,
            [menu],
            borders=lambda: borders(self.arrangement()),
            move=self._move_border,
            click=self._click_border,
        )

    def _click_border(self, border: Border) -> None:
        if border.pane is not None:
            self.focus(border.pane)

    def _move_border(self, border: Border, column: int, row: int) -> None:
        self.sizes = self.sizes.with_border(border, column, row, self.arrangement())

    def _prompt(self) -> AnyContainer:
        control = BufferControl(
            self.buffer,
            lexer=self._editor.lexer,
            search_buffer_control=self._search.control,
            preview_search=True,
            input_processors=[
                HighlightIncrementalSearchProcessor(),
                HighlightSelectionProcessor(),
                AppendAutoSuggestion(),
            ],
        )
        return Window(
            control,
            height=lambda: Dimension(min=1, max=self._prompt_rows()),
            wrap_lines=True,
            dont_extend_height=True,
            get_line_prefix=self._prefix,
        )

    def _prefix(self, line: int, wrapped: int) -> StyleAndTextTuples:
        if line == 0 and wrapped == 0:
            return [("", self.question)] if self.question else self._editor.message()
        return self._editor.continuation(8, line, wrapped)

    def _bar(self) -> AnyContainer:
        def text() -> StyleAndTextTuples:
            pane = next((each for each in self._panes.values() if self._has_focus(each.name)), None)
            if pane is not None:
                keys: Fragments = [
                    ("class:toolbar.strong", f" {pane.name} "),
                    ("class:toolbar", f"{pane.keys} · Esc: prompt"),
                ]
                return [*self._repl.printer.fragments(keys)]
            return self._editor.toolbar(self.buffer.text, self.terminal.get_size().columns)

        bar = Window(FormattedTextControl(text), height=1, style="class:bottom-toolbar")
        return ConditionalContainer(bar, Condition(lambda: self.terminal.get_size().rows > 4))

    def _prompt_rows(self) -> int:
        return max(self.terminal.get_size().rows // 3, 1)

    def arrangement(self) -> Arrangement:
        """Where the panes are on the terminal as it is now."""
        size = self.terminal.get_size()
        prompt = min(self.buffer.document.line_count, self._prompt_rows())
        return arrange(self.kind, size.columns, max(size.rows - prompt - 1, 1), self.sizes)

    def _arranged(self) -> AnyContainer:
        now = self.arrangement()
        self._rows = {each.pane: each.rows for each in (*now.left, *now.right, *now.below)}
        above: AnyContainer = self._column(now.left)
        if now.right:
            right = HSplit(
                [self._windows[each.pane] for each in now.right],
                width=Dimension.exact(now.right_columns),
            )
            above = VSplit([above, self._border(), right])
        return HSplit([above, *(self._windows[each.pane] for each in now.below)])

    def _column(self, slots: tuple[Slot, ...]) -> AnyContainer:
        return HSplit([self._windows[each.pane] for each in slots])

    def _border(self) -> Window:
        return Window(width=1, char=self._repl.printer.text("│"), style="class:pane.border")

    def _window(self, pane: Pane) -> Window:
        control = PaneControl(
            pane,
            self._repl.printer.row,
            pane_bindings(pane, self, self._accept),
            lambda: self.focus(pane.name),
        )

        def height() -> Dimension:
            rows = self._rows.get(pane.name, 1)
            # The output gives way to a line that takes more rows than it has line ends.
            return Dimension(min=1, preferred=rows) if pane.name == "output" else Dimension.exact(rows)

        return Window(control, height=height)

    def resize(self, *, wider: float = 0.0, taller: tuple[PaneName, float] | None = None) -> None:
        """Move the border of the right column, or give a pane more or less height."""
        self.sizes = self.sizes.wider(wider)
        if taller is not None:
            self.sizes = self.sizes.taller(*taller)

    def follow_settings(self) -> None:
        """The keys of emacs or of vi, as the person may have said just now."""
        vi = self._repl.ctx.settings.keys == "vi"
        self.app.editing_mode = EditingMode.VI if vi else EditingMode.EMACS

    # -- the focus --------------------------------------------------------------------------------

    def focus(self, name: PaneName) -> None:
        """Give the focus to a pane, if it is to be seen."""
        if name in self.arrangement().panes:
            self.app.layout.focus(self._windows[name])

    def focus_prompt(self) -> None:
        """Give the focus to the line being typed."""
        self.app.layout.focus(self.buffer)

    def focus_next(self, step: int = 1) -> None:
        """Go round all panes and the prompt."""
        panes = self.arrangement().panes
        at = next((i for i, each in enumerate(panes) if self._has_focus(each)), -1) + step
        if at >= len(panes) or at == -1:
            self.focus_prompt()
        else:
            self.focus(panes[at])

    def _has_focus(self, name: PaneName) -> bool:
        return self.app.layout.current_window is self._windows[name]

    def keep_focus(self) -> None:
        """When the pane that had the focus is gone, the prompt gets it."""
        if any(self._has_focus(each) for each in self._windows if each not in self.arrangement().panes):
            self.focus_prompt()
