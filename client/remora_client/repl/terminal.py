"""The person's side of the prompt: with prompt_toolkit on a real terminal, line by line where there is none.

A `Face` reads lines, shows text while a line is being typed, asks questions, and pages long answers.
Everything runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import sys
from typing import TYPE_CHECKING, Protocol

from remora_client._errors import ClientError
from remora_client._fragments import per_line, rows_of
from remora_client._terminal_size import size_of
from remora_client.repl.validator import known, needs_more

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from prompt_toolkit import PromptSession
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from remora_client._fragments import Fragments
    from remora_client.repl.app import Repl

__all__ = ["Face", "FaceLost", "FullFace", "PlainFace"]

_IDLE = 0.2  # seconds after the first prompt, by when it has been drawn


class FaceLost(ClientError):
    """The panes of a layout could not go on. The prompt does, in lines."""


class Face(Protocol):
    """What the prompt needs of a terminal."""

    is_person: bool

    async def read(self) -> str:
        """The next line. Raises `EOFError` when the person leaves, `KeyboardInterrupt` for Ctrl-C."""

    async def show(self, fragments: Fragments) -> None:
        """Show text now, above the line that is being typed."""

    async def page(self, fragments: Fragments) -> None:
        """Show an answer, a screenful at a time."""

    async def confirm(self, question: str) -> bool:
        """Ask yes or no."""

    def redraw(self) -> None:
        """Something that the prompt or the bar shows has changed."""

    def leave(self) -> None:
        """End the reading: the program is gone."""

    def quiet(self) -> AbstractContextManager[None]:
        """While this lasts, keys that nobody reads yet are not echoed into the text."""

    def lend(self, wait: bool) -> AbstractAsyncContextManager[None]:
        """While this lasts, another program has the terminal. With `wait`, Enter is waited for after it."""


class PlainFace:
    """Lines in, lines out."""

    def __init__(self, repl: Repl, *, is_person: bool) -> None:
        from remora_client.repl.plain import PlainReader

        self.is_person = is_person
        self._repl = repl
        self._reader = PlainReader()
        self._reading: asyncio.Task[str] | None = None

    async def read(self) -> str:
        """Read a line after a prompt, if there is anybody to see one; to them, Python may take several."""
        self._prompt()
        text = await self._line()
        while self.is_person and self._goes_on(text):
            self._write("... ")
            line = await self._line()
            text += f"\n{line}"
            if not line.strip():  # the way out of a bracket that was left open
                break
        return text

    def _goes_on(self, text: str) -> bool:
        return needs_more(text, self._repl.names, known(self._repl.session.breakpoints))

    async def _line(self) -> str:
        self._reading = asyncio.get_running_loop().create_task(self._reader.line())
        try:
            return await self._reading
        except asyncio.CancelledError:
            if self._reading.cancelled():
                raise EOFError from None
            raise
        finally:
            self._reading = None

    def _prompt(self) -> None:
        if self.is_person:
            stopped = self._repl.session.stop is not None
            depth = self._repl.session.depth
            name = f"remora {depth}" if depth > 1 else "remora"
            self._write(f"({name}) " if stopped else "(running) ")

    def _write(self, text: str) -> None:
        self._repl.printer.stream.write(text)
        self._repl.printer.stream.flush()

    async def show(self, fragments: Fragments) -> None:
        """Print; a prompt that waits is printed again below."""
        if self._reading is not None and self.is_person:
            self._repl.printer.print([("", "\n"), *fragments])
            self._prompt()
        else:
            self._repl.printer.print(fragments)

    async def page(self, fragments: Fragments) -> None:
        """Print all of it: who has no terminal has other means."""
        self._repl.printer.print(fragments)

    async def confirm(self, question: str) -> bool:
        """Ask, and take anything but yes for no."""
        self._repl.printer.print([("", f"{question} [y/N] ")])
        try:
            return (await self._reader.line()).strip().lower() in ("y", "yes")
        except EOFError:
            return False

    def redraw(self) -> None:
        """Nothing is drawn twice here."""

    def leave(self) -> None:
        """Wait for no more lines."""
        if self._reading is not None:
            self._reading.cancel()

    def quiet(self) -> AbstractContextManager[None]:
        """The terminal is left as it is."""
        return contextlib.nullcontext()

    def lend(self, wait: bool) -> AbstractAsyncContextManager[None]:
        """It may have it."""
        return contextlib.nullcontext()


@contextlib.contextmanager
def _echo(on: bool) -> Iterator[None]:
    """Off, what is typed while a command runs waits for the next prompt, which then shows it."""
    try:
        import termios

        descriptor = sys.stdin.fileno()
    except (ImportError, OSError, ValueError):  # Windows; or no terminal after all
        yield
        return
    try:
        before = termios.tcgetattr(descriptor)
        flags = before[3] | termios.ECHO if on else before[3] & ~termios.ECHO
        termios.tcsetattr(descriptor, termios.TCSANOW, [*before[:3], flags, *before[4:]])
    except termios.error:  # which is no OSError: the terminal is gone
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, before)


class FullFace:
    """A line editor with colours, completion, history and a bar at the bottom."""

    is_person = True

    def __init__(self, repl: Repl) -> None:
        from remora_client.repl.line_editor import LineEditor

        self._repl = repl
        self.editor = LineEditor(repl)
        self._prompt = self._prompt_session()
        self._loads = False
        repl.ctx.past = self.editor.history.get_strings
        repl.ctx.copy = self._copy

    def _prompt_session(self) -> PromptSession[str]:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.output import ColorDepth
        from prompt_toolkit.styles import DynamicStyle

        editor = self.editor
        session: PromptSession[str] = PromptSession(
            editor.message,
            multiline=True,
            lexer=editor.lexer,
            completer=editor.completer,
            complete_while_typing=False,
            history=editor.history,
            auto_suggest=editor.auto_suggest,
            key_bindings=editor.key_bindings,
            bottom_toolbar=self._toolbar,
            prompt_continuation=editor.continuation,
            style=DynamicStyle(self._repl.printer.style),
            color_depth=None if self._repl.printer.color else ColorDepth.DEPTH_1_BIT,
            enable_suspend=True,
            include_default_pygments_style=False,
        )
        return session

    async def read(self) -> str:
        """Read a line, or several lines of Python."""
        from prompt_toolkit.enums import EditingMode

        vi = self._repl.ctx.settings.keys == "vi"
        self._prompt.editing_mode = EditingMode.VI if vi else EditingMode.EMACS
        if not self._loads:  # what the first key needs, behind the first prompt
            self._loads = True
            loop = asyncio.get_running_loop()
            loop.call_later(_IDLE, loop.run_in_executor, None, self.editor.lexer.load)
        return await self._prompt.prompt_async(handle_sigint=False, set_exception_handler=False)

    async def show(self, fragments: Fragments) -> None:
        """Print above the line; it is taken away for that moment and drawn again."""
        from prompt_toolkit.application import in_terminal

        if not self._prompt.app.is_running:
            self._repl.printer.print(fragments)
            return
        async with in_terminal():
            self._repl.printer.print(fragments)

    async def page(self, fragments: Fragments) -> None:
        """Print a screenful, and ask before each further one."""
        size = size_of(self._repl.printer.stream)
        height = max(size.lines - 2, 5)
        rows = [row for line in per_line(fragments) for row in rows_of(line, size.columns)]
        if len(rows) <= height + 2:
            self._repl.printer.print(fragments)
            return
        while len(rows) > height + 2:
            head, rows = rows[:height], rows[height:]
            self._print_rows(head)
            if not await self._go_on(len(rows)):
                return
        self._print_rows(rows)

    def _print_rows(self, rows: list[Fragments]) -> None:
        self._repl.printer.print([item for row in rows for item in (*row, ("", "\n"))])

    async def _go_on(self, left: int) -> bool:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.key_binding import KeyBindings
        from prompt_toolkit.styles import DynamicStyle

        bindings = KeyBindings()
        for key in ("q", "c-c", "c-d", "escape"):
            bindings.add(key, eager=True)(lambda event: event.app.exit(result="q"))
        for key in (" ", "enter", "down", "pagedown"):
            bindings.add(key, eager=True)(lambda event: event.app.exit(result=""))
        asked: PromptSession[str] = PromptSession(
            key_bindings=bindings, erase_when_done=True, style=DynamicStyle(self._repl.printer.style)
        )
        told = self._repl.printer.fragments([("class:dim", f"— {left} more lines: Enter, or q — ")])
        answer = await asked.prompt_async([*told], set_exception_handler=False)
        return answer != "q"

    async def confirm(self, question: str) -> bool:
        """Ask, and take anything but yes for no."""
        from prompt_toolkit import PromptSession

        asked: PromptSession[str] = PromptSession()
        try:
            answer = await asked.prompt_async(f"{question} [y/N] ", set_exception_handler=False)
        except (EOFError, KeyboardInterrupt):
            return False
        return answer.strip().lower() in ("y", "yes")

    def _copy(self, text: str) -> None:
        """Ask the terminal to put a text on its clipboard: OSC 52, which passes through ssh and tmux."""
        output = self._prompt.app.output
        output.write_raw(
            f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'backslashreplace')).decode()}\x07"
        )
        output.flush()

    def redraw(self) -> None:
        """Draw the prompt and the bar again."""
        self._prompt.app.invalidate()

    def leave(self) -> None:
        """Take the prompt away."""
        if self._prompt.app.is_running:
            self._prompt.app.exit(exception=EOFError())

    def quiet(self) -> AbstractContextManager[None]:
        """Typing ahead is for the next prompt."""
        return _echo(False)

    @contextlib.asynccontextmanager
    async def lend(self, wait: bool) -> AsyncIterator[None]:
        """With echo. There is nothing to wait for: what the program prints stays to be seen."""
        with _echo(True):
            yield

    def _toolbar(self) -> StyleAndTextTuples:
        return self.editor.toolbar(
            self._prompt.default_buffer.text, size_of(self._repl.printer.stream).columns
        )
