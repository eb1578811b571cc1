"""The face of the prompt while a layout is shown: reads lines that are typed, or made of keys and clicks.

The application runs from the command that opened the layout to the one that closes it; lines that come while
a command runs wait for their turn. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import in_terminal
from prompt_toolkit.application.current import set_app

from remora_client.commands import FAILURES, error_text
from remora_client.repl.layout.screen import Screen
from remora_client.repl.layout.view import View
from remora_client.repl.terminal import FaceLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from contextlib import AbstractContextManager

    from remora_client._fragments import Fragments
    from remora_client.repl.app import Repl
    from remora_client.repl.layout.arrangement import Kind
    from remora_client.repl.line_editor import LineEditor

__all__ = ["LayoutFace"]

_PATIENCE = 0.3  # seconds that the program runs until the panes are cleared: a step needs less


class LayoutFace:
    """Panes around the prompt."""

    is_person = True

    def __init__(self, repl: Repl, editor: LineEditor) -> None:
        self._repl = repl
        self._lines: asyncio.Queue[str | Exception] = asyncio.Queue()
        self._answer: asyncio.Future[str] | None = None
        self._editor = editor
        self._view = View(repl.ctx)
        self._screen = Screen(
            repl, editor, self._view, accept=self._typed, leave=self.leave, later=self._later
        )
        self._stale = asyncio.Event()
        self._seen: object = None
        self._shows_top = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: asyncio.Task[None] | None = None
        self._before: Any = None  # who was told of mistakes

    # -- from beginning to end --------------------------------------------------------------------

    async def start(self, kind: Kind) -> None:
        """Take the terminal over."""
        loop = asyncio.get_running_loop()
        self.choose(kind)
        self._repl.printer.sink = self._print
        started = loop.create_future()
        self._before = loop.get_exception_handler()
        loop.set_exception_handler(lambda _, context: self._failed(context.get("exception")))
        self._running = loop.create_task(
            self._screen.app.run_async(
                pre_run=lambda: started.set_result(None), handle_sigint=False, set_exception_handler=False
            )
        )
        self._running.add_done_callback(self._done)
        self._later(self._keep_fresh())
        await asyncio.wait([started, self._running], return_when=asyncio.FIRST_COMPLETED)

    def choose(self, kind: Kind) -> None:
        """Show other panes."""
        self._screen.kind = kind
        self._repl.ctx.sees_source = kind != "vars"
        self._stale.set()
        self._screen.keep_focus()

    async def stop(self) -> None:
        """Give the terminal back as it was, with the last lines of the output on it."""
        for task in list(self._tasks):
            task.cancel()
        app = self._screen.app
        if self._running is not None and not self._running.done():
            if app.is_running:
                app.exit()
            await asyncio.wait([self._running])
        asyncio.get_running_loop().set_exception_handler(self._before)
        self._repl.printer.sink = None
        self._repl.ctx.sees_source = False
        rows = max(self._screen.terminal.get_size().rows - 4, 1)
        for line in self._screen.output.latest(rows):
            self._repl.printer.print([*line, ("", "\n")], again=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._failed(task.exception())

    def _failed(self, error: object) -> None:
        """Something went wrong while drawing: better lines than a terminal that does not answer."""
        if isinstance(error, Exception):
            self._lines.put_nowait(FaceLost(error_text(error)))

    # -- a face -----------------------------------------------------------------------------------

    async def read(self) -> str:
        """The next line. Raises `EOFError` when the person leaves, `FaceLost` when the panes cannot go on."""
        self._stale.set()
        self._screen.follow_settings()
        line = await self._lines.get()
        if isinstance(line, Exception):
            raise line
        if line.strip():
            mark = "".join(text for _, text, *_ in self._editor.message())
            self._screen.output.add([("class:prompt", mark), ("", f"{line}\n")])
        self._screen.output.follow()
        return line

    async def show(self, fragments: Fragments) -> None:
        """Into the output pane."""
        self._repl.printer.print(fragments)

    async def page(self, fragments: Fragments) -> None:
        """Into the output pane, which then shows the beginning."""
        self._shows_top = True
        try:
            self._repl.printer.print(fragments)
        finally:
            self._shows_top = False

    async def confirm(self, question: str) -> bool:
        """Ask where the line is typed, and take anything but yes for no."""
        self._answer = asyncio.get_running_loop().create_future()
        self._screen.question = f"{question} [y/N] "
        self._screen.focus_prompt()
        self._screen.app.invalidate()
        try:
            return (await self._answer).strip().lower() in ("y", "yes")
        finally:
            self._answer = None
            self._screen.question = ""

    def redraw(self) -> None:
        """Draw again, and look again where the program has moved."""
        session = self._repl.session
        state = session.state
        seen = (session, state.stops, state.phase, state.breakpoints, session.selected)
        if seen != self._seen:
            self._seen = seen
            self._stale.set()
        self._screen.app.invalidate()

    def leave(self) -> None:
        """End the reading."""
        self._lines.put_nowait(EOFError())
        if self._answer is not None and not self._answer.done():
            self._answer.set_result("")

    def quiet(self) -> AbstractContextManager[None]:
        """Nothing is echoed here."""
        return contextlib.nullcontext()

    @contextlib.asynccontextmanager
    async def lend(self, wait: bool) -> AsyncIterator[None]:
        """The panes go away for that time."""
        with set_app(self._screen.app):
            async with in_terminal():
                yield
                if wait:
                    asked: PromptSession[str] = PromptSession(erase_when_done=True)
                    with contextlib.suppress(EOFError, KeyboardInterrupt):
                        await asked.prompt_async(
                            [("ansibrightblack", "Enter brings the panes back. ")],
                            set_exception_handler=False,
                        )

    @property
    def width(self) -> int:
        """Columns of the output pane."""
        return self._screen.terminal.get_size().columns

    # -- what keys, clicks and events set off -----------------------------------------------------

    def _typed(self, line: str) -> None:
        if self._answer is not None:
            if not self._answer.done():
                self._answer.set_result(line)
        else:
            self._lines.put_nowait(line)

    def _print(self, fragments: Fragments) -> None:
        if self._shows_top:
            self._screen.output.start_at_top(fragments)
        else:
            self._screen.output.add(fragments)
        self._screen.app.invalidate()

    async def _keep_fresh(self) -> None:
        """Look again whenever something may have changed, and one look at a time."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            if self._view.frames and self._repl.session.stop is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PATIENCE):
                        await self._stale.wait()
                        continue
            await self._view.refresh()
            self._screen.app.invalidate()

    def _later(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, FAILURES):
                self._print([("class:error", f"{error_text(error)}\n")])
            else:
                self._failed(error)
        self._screen.app.invalidate()
