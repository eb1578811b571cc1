"""`remora attach`: read a line, run it, show what came of it, while the program does what it does.

Everything runs on the event loop's thread. Two things go on at once: the person's line (one at a time, in
`_take`) and the program's events (`_on_event`), which appear above the line being typed.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, cast

from remora_client._terminal_size import size_of
from remora_client._text import visible
from remora_client.commands import (
    FAILURES,
    NEVER_BY_ACCIDENT,
    CommandError,
    CommandLine,
    Context,
    Result,
    classify,
    classify_script,
    commands_for,
    count_hits,
    error_text,
    expand_alias,
    first_commands,
    keep_at_the_end,
    note_line,
    run_line,
    split_commands,
    stop_lines,
)
from remora_client.repl.banner import banner, farewell, group_banner, group_farewell
from remora_client.repl.events import Events
from remora_client.repl.output import Above
from remora_client.repl.signals import signals
from remora_client.repl.terminal import FaceLost, FullFace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from remora_client._fragments import Fragments
    from remora_client._group import Group, Member
    from remora_client._model import Stop
    from remora_client._session import Session
    from remora_client.commands import Line
    from remora_client.repl.layout import LayoutFace
    from remora_client.repl.layout.arrangement import Kind
    from remora_client.repl.printer import Printer
    from remora_client.repl.terminal import Face

__all__ = ["Repl"]

_SETTLE = 0.3  # seconds that the prompt waits for a step to end, so that it need not be drawn twice
_ON_HIT_DEPTH = 100


class Repl(Events):
    """One session at the prompt, or a group of them, of which one is looked at."""

    def __init__(
        self, session: Session, printer: Printer, group: Group | None = None, member: Member | None = None
    ) -> None:
        super().__init__(Context(session, group, member, interactive=True))
        self.printer = printer
        self.ctx.past = lambda: self._typed
        self._typed: list[str] = []
        self.names: frozenset[str] = frozenset()
        self.layout: LayoutFace | None = None
        self._lines: Face | None = None
        self._shown = 0  # the number of the last stop that is on the screen
        self._command: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._repeat: Line | None = None
        self._left = False
        self._ended = False

    @property
    def face(self) -> Face | None:
        """Where the person is: in the panes while they are shown, else in lines. None: not running yet."""
        return self.layout or self._lines

    async def stopped(self) -> None:
        """Wait until the next stop is on the screen. For who drives this from outside."""
        while not self._over and (self.session.stop is None or self._shown < self.session.state.stops):
            self._told.clear()
            await self._told.wait()
        await self._flush()

    # -- the person's lines -----------------------------------------------------------------------

    async def run(self, face: Face, given: Sequence[str] = (), *, greet: bool = True) -> int:
        """Read and run lines until the person leaves or the program ends. Gives the exit code."""
        self._lines = face
        self.ctx.layout = self._show_layout if isinstance(face, FullFace) else None
        self.ctx.interactive = face.is_person
        self.ctx.confirm = self._confirm if face.is_person else None
        self.ctx.lend = self._lend
        self._choose_colours()
        self.above = Above(self._show_above)
        remove = self._listen()
        asyncio.get_running_loop().set_exception_handler(self._on_mistake)
        with signals(self.interrupt), face.quiet():
            try:
                if greet:
                    group = self.ctx.group
                    self._print(banner(self.session) if group is None else group_banner(group))
                if self.session.stop is not None:
                    self._later(self._tell_stop(self.ctx.member))
                    await self._settled()
                for text in [*first_commands(self.ctx), *given]:
                    self._print([("class:prompt", "❯ "), ("", f"{visible(text)}\n")])
                    if not await self._take(text, scripted=True) or self._over:
                        break
                await self._loop()
            finally:
                remove()
                await keep_at_the_end(self.ctx)
                await self.above.close()
                await self._leave_layout()
        group = self.ctx.group
        if group is not None:
            self._print(group_farewell(left=self._left or bool(group.members)))
            return 0
        self._print(farewell(self.session, left=self._left))
        return 7 if self.session.state.phase == "gone" and not self._left else 0

    def _on_mistake(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What nobody waits for went wrong: say so; prompt_toolkit would show a traceback."""
        error = context.get("exception")
        if isinstance(error, Exception):
            self._say(error_text(error), "class:error")

    async def _loop(self) -> None:
        while not self._over:
            face = self.face
            assert face is not None
            try:
                text = await face.read()
            except FaceLost as lost:
                await self._leave_layout()
                self._fail(lost)
                continue
            except EOFError:
                if self.ctx.interacting and not self._over:
                    self.ctx.interacting = False
                    self._print([("class:dim", "Commands again.\n")])
                    continue
                self._left = self._left or not self._over
                return
            except KeyboardInterrupt:
                self.interrupt()
                continue
            self.printer.record(f"remora> {text}\n")
            self._typed.append(text)
            for part in [text] if self.ctx.interacting else split_commands(text) or [""]:
                if not await self._take(part, scripted=not face.is_person) or self._over:
                    break

    @property
    def _over(self) -> bool:
        return self._left or self._ended

    async def _take(self, text: str, *, scripted: bool = False) -> bool:
        """Run one line. False: it failed."""
        line = self._read(text, scripted=scripted)
        if line is None:
            return True
        self.ctx.width = self.width
        self._told.clear()
        outcome = asyncio.get_running_loop().create_future()
        self._command = asyncio.get_running_loop().create_task(self._run(line, outcome, wait=scripted))
        try:
            await self._command
        except asyncio.CancelledError:
            self._print([("class:dim", "Interrupted.\n")])
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
        finally:
            self._command = None
        return bool(outcome.done() and outcome.result())

    def _read(self, text: str, *, scripted: bool) -> Line | None:
        if not text.strip():
            return self._repeat
        if text.lstrip().startswith("#"):
            return None
        try:
            text = text if self.ctx.interacting else expand_alias(self.ctx, text)
        except CommandError as error:
            self._fail(error)
            return None
        if scripted:
            return classify_script(text)
        line = classify(text, self.names, bare_names=self.ctx.bare_names)
        self._repeat = self._to_repeat(line)
        return line

    def _to_repeat(self, line: Line) -> Line | None:
        mode = self.ctx.settings.repeat
        if mode == "off" or not isinstance(line, CommandLine) or line.command.name in NEVER_BY_ACCIDENT:
            return None
        if not line.command.repeats and mode != "all":
            return None
        if line.command.name == "list":  # Enter goes on with the listing, wherever it began
            return CommandLine(line.command, "", line.word)
        return line

    async def _run(self, line: Line, outcome: asyncio.Future[bool], *, wait: bool) -> None:
        try:
            result = await run_line(self.ctx, line)
            note_line(self.ctx, line)
        except Exception as error:  # one that is not of FAILURES is a bug: a sentence, too
            outcome.set_result(False)
            await self._flush()
            self._fail(error)
            return
        self.printer.transcript = self.ctx.transcript
        self._choose_colours()
        await self._flush()
        if isinstance(line, CommandLine) and line.hint:
            self._print([("class:line-hint", f"{line.hint}\n")])
        await self._print_paged(result.text)
        await self._follow(result, wait=wait)
        outcome.set_result(True)

    async def _follow(self, result: Result, *, wait: bool) -> None:
        """After a command: wait a little for what it set off, and no longer than a person would notice."""
        self._left = self._left or result.left
        if result.resumed:
            self._anyone = result.anyone
        if result.resumed and not self._over:
            await self._settled(None if wait else _SETTLE)
        elif self.session.stop is not None:
            await self._learn_names()

    async def _settled(self, seconds: float | None = _SETTLE) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._told.wait()
        await self._flush()

    def interrupt(self) -> None:
        """Ctrl-C, with no text to clear."""
        running = self.session.state.phase == "running"
        if self._command is not None:
            self._command.cancel()
        if running:
            self._later(self._pause())
        elif self._command is None:
            self._say("The program stands still. Ctrl-D leaves and lets it run.", "class:dim")

    async def _pause(self) -> None:
        try:
            await self.session.pause()
        except FAILURES as error:
            self._say(error_text(error), "class:error")

    # -- the program's events ---------------------------------------------------------------------

    async def _tell_stop(self, member: Member | None = None) -> None:
        """Show a stop, run what was left for its breakpoint, and learn the names in scope."""
        session = self.session if member is None else member.session
        if session is not self.session:  # the person has turned to another process meanwhile
            assert member is not None
            self._tell_briefly(member)
            return
        number = session.state.stops
        self.ctx.width = self.width
        try:
            stop = await session.wait_for_stop()
            if stop is None or session.state.stops != number or session is not self.session:
                return
            count_hits(self.ctx, stop)
            self.ctx.listing = None
            shown = await stop_lines(self.ctx, stop)
            await self._learn_names()
        except FAILURES:
            return  # it ran on meanwhile, or is gone: another event says so
        if session.state.stops != number or session is not self.session:
            return
        if member is not None:
            self._marker.flush()
            shown = [("class:heading", f"Process {member.number}, {member}:\n"), *shown]
        assert self.above is not None
        self.above.add(shown)
        self._shown = number
        self._told.set()
        await self._on_hit(stop)

    async def _on_hit(self, stop: Stop) -> None:
        for text in commands_for(self.ctx, stop):
            if self._over:
                return
            try:
                result = await run_line(self.ctx, classify_script(expand_alias(self.ctx, text)))
            except FAILURES as error:
                self._say(f"{text}: {error_text(error)}", "class:error")
                return
            assert self.above is not None
            self.above.add(result.text)
            if result.resumed or result.left:
                self._left = self._left or result.left
                return

    async def _learn_names(self) -> None:
        with contextlib.suppress(*FAILURES):
            self.names = frozenset(each.name for each in await self.session.locals())

    def _end(self) -> None:
        if self._ended or self._left:
            return
        self._ended = True
        self._told.set()
        if self._command is None and self.face is not None:
            self.face.leave()

    def _choose_colours(self) -> None:
        settings = self.ctx.settings
        self.printer.choose(settings.theme, settings.background, may_ask=self.layout is None)

    # -- panes ------------------------------------------------------------------------------------

    async def _show_layout(self, kind: str) -> None:
        """What the command `layout` does."""
        if kind == "off":
            await self._leave_layout()
        elif self.layout is not None:
            self.layout.choose(cast("Kind", kind))
        elif isinstance(self._lines, FullFace):
            from remora_client.repl.layout import LayoutFace  # only who wants it pays for it

            self.layout = LayoutFace(self, self._lines.editor)
            await self.layout.start(cast("Kind", kind))

    async def _leave_layout(self) -> None:
        layout, self.layout = self.layout, None
        if layout is not None:
            await layout.stop()

    def _lend(self, wait: bool) -> AbstractAsyncContextManager[None]:
        assert self.face is not None
        return self.face.lend(wait)

    async def _confirm(self, question: str) -> bool:
        assert self.face is not None
        return await self.face.confirm(question)

    # -- showing ----------------------------------------------------------------------------------

    @property
    def width(self) -> int:
        """Columns of the terminal, or of the pane; in a pipe nothing is cut."""
        if self.layout is not None:
            return self.layout.width
        return size_of(self.printer.stream).columns if self.printer.stream.isatty() else 0

    def _fail(self, error: BaseException) -> None:
        self._print([("class:error", f"{error_text(error)}\n")])

    def _print(self, fragments: Fragments) -> None:
        self.printer.print(fragments)

    async def _print_paged(self, fragments: Fragments) -> None:
        assert self.face is not None
        if self.ctx.settings.pager == "on":
            await self.face.page(fragments)
        else:
            self._print(fragments)

    async def _flush(self) -> None:
        if self.above is not None:
            await self.above.flush()

    async def _show_above(self, fragments: Fragments) -> None:
        assert self.face is not None
        await self.face.show(fragments)

    def _later(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._say(error_text(error), "class:error")
