"""`remora attach`: read a line, run it, show what came of it, while the program does what it does.

Everything runs on the event loop's thread. Two things go on at once: the person's line (one at a time, in
`_take`) and the program's events (`events.py`), which appear above the line being typed.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from remora_client._fragments import sentences
from remora_client._terminal_size import size_of
from remora_client._text import visible
from remora_client.commands import (
    FAILURES,
    CommandError,
    CommandLine,
    Context,
    Result,
    classify,
    classify_script,
    error_text,
    expanded,
    first_commands,
    keep_what_changed,
    note_line,
    run_line,
    what_enter_repeats,
)
from remora_client.repl.banner import banner, farewell, group_banner, group_farewell
from remora_client.repl.events import Events
from remora_client.repl.output import Above
from remora_client.repl.secrecy import may_be_kept
from remora_client.repl.signals import interrupts_of_another, signals
from remora_client.repl.terminal import FaceLost, FullFace
from remora_client.repl.validator import parts_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from remora_client._fragments import Fragments
    from remora_client._groups._group import Group, Member
    from remora_client._sessions._session import Session
    from remora_client.commands import Line
    from remora_client.repl.layout import LayoutFace
    from remora_client.repl.layout.arrangement import Kind
    from remora_client.repl.printer import Printer
    from remora_client.repl.terminal import Face

__all__ = ["Repl"]

_SETTLE = 0.3  # seconds that the prompt waits for a step to end, so that it need not be drawn twice


class Repl:
    """One session at the prompt, or a group of them, of which one is looked at."""

    def __init__(
        self,
        session: Session,
        printer: Printer,
        group: Group | None = None,
        member: Member | None = None,
        before: Context | None = None,
    ) -> None:
        self.ctx = Context(session, group, member, interactive=True)
        if before is not None:  # the person has turned here from another program
            self.ctx = before.turned_to(session)
        self.above: Above | None = None
        self.told = asyncio.Event()  # the last stop, or the end, is on the screen
        self.printer = printer
        self.ctx.past = lambda: self._typed
        self._typed: list[str] = []
        self.names: frozenset[str] = frozenset()
        self.layout: LayoutFace | None = None
        self._lines: Face | None = None
        self._command: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._repeat: Line | None = None
        self.line: Line | None = None  # what was run last
        self.failed = False  # and whether it did not do what it was to do
        self.left = False
        self._ended = False
        self._events = Events(self)

    @property
    def session(self) -> Session:
        """The process that is looked at."""
        return self.ctx.session

    @property
    def face(self) -> Face | None:
        """Where the person is: in the panes while they are shown, else in lines. None: not running yet."""
        return self.layout or self._lines

    async def stopped(self) -> None:
        """Wait until the next stop is on the screen. For who drives this from outside."""
        while not self.over and (self.session.stop is None or self._events.shown < self.session.state.stops):
            self.told.clear()
            await self.told.wait()
        await self._flush()

    # -- the person's lines -----------------------------------------------------------------------

    async def run(self, face: Face, given: Sequence[str] = (), *, greet: bool = True) -> int:
        """Read and run lines until the person leaves or the program ends. Gives the exit code."""
        self._lines = face
        self.ctx.layout = self._show_layout if isinstance(face, FullFace) else None
        self.ctx.interactive = face.is_person
        self.ctx.confirm = self._confirm if face.is_person else None
        self.ctx.lend = self._lend
        self.ctx.show = self._show_one
        self._choose_colours()
        self.above = Above(self._show_above, self.end)
        remove = self._events.listen()
        asyncio.get_running_loop().set_exception_handler(self._on_mistake)
        with signals(self.interrupt), face.quiet():
            try:
                if greet:
                    group = self.ctx.group
                    self._print(banner(self.session, self.width) if group is None else group_banner(group))
                if self.session.stop is not None:
                    self.later(self._events.tell_stop(self.ctx.member))
                    await self._settled()
                for text in [*first_commands(self.ctx), *given]:
                    self._print([("class:prompt", "❯ "), ("", f"{visible(text)}\n")])
                    if not await self._take(text, scripted=True) or self.over:
                        break
                await self._loop()
            finally:
                remove()
                await keep_what_changed(self.ctx)
                await self.above.close()
                await self._leave_layout()
        group = self.ctx.group
        if group is not None:
            self._print(group_farewell(left=self.left or bool(group.members)))
            return 0
        self._print(farewell(self.session, left=self.left, launched=self.ctx.feed is not None))
        return 7 if self.session.state.phase == "gone" and not self.left else 0

    def _on_mistake(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What nobody waits for went wrong: say so; prompt_toolkit would show a traceback."""
        error = context.get("exception")
        if isinstance(error, Exception):
            self.say(error_text(error), "class:error")

    async def _loop(self) -> None:
        while not self.over:
            face = self.face
            assert face is not None
            try:
                text = await face.read()
            except FaceLost as lost:
                await self._leave_layout()
                self._fail(lost)
                continue
            except EOFError:
                if self.ctx.interacting and not self.over:
                    self.ctx.interacting = False
                    self._print([("class:dim", "Commands again.\n")])
                    continue
                self.left = self.left or not self.over
                return
            except KeyboardInterrupt:
                self.interrupt()
                continue
            secret = self.session.link.secret
            kept = not text.strip() or may_be_kept(text.strip(), [secret.text] if secret else [])
            self.printer.record(f"remora> {text if kept else '(a secret)'}\n")
            self._typed.append(text)
            for part in [text] if self.ctx.interacting else parts_of(text, self.names):
                if not await self._take(part, scripted=not face.is_person) or self.over:
                    break

    @property
    def over(self) -> bool:
        """Whether nothing more is read or run."""
        return self.left or self._ended

    async def _take(self, text: str, *, scripted: bool = False) -> bool:
        """Run one line, or what it is an alias for. False: it failed."""
        try:
            parts = [text] if self.ctx.interacting else expanded(self.ctx, text)
        except CommandError as error:
            self._fail(error)
            return False
        for part in parts:
            if not await self._take_one(part, scripted=scripted) or self.over:
                return not self.failed
        return True

    async def _take_one(self, text: str, *, scripted: bool) -> bool:
        self.failed = False
        line = self._read(text, scripted=scripted)
        if isinstance(line, CommandLine) and line.hint and self.ctx.bare_names == "ask":
            line = await self._meant(text, line)
        self.line = line
        if line is None:
            return True
        self.ctx.width = self.width
        self.told.clear()
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

    async def _meant(self, text: str, line: CommandLine) -> Line | None:
        """A bare word that is a command and a variable: ask which, once for each."""
        word = line.word
        if word not in self.ctx.meant:
            question = f"{word} is a variable, too. Run the command {line.command.name}?"
            self.ctx.meant[word] = not await self._confirm(question)
        return replace(line, hint="") if not self.ctx.meant[word] else self._read(text, scripted=False)

    def _read(self, text: str, *, scripted: bool) -> Line | None:
        if not text.strip():
            return self._repeat
        if text.lstrip().startswith("#"):
            return None
        if scripted:
            return classify_script(text)
        line = classify(text, self.names, bare_names=self.ctx.bare_names, as_variables=self.ctx.as_variables)
        self._repeat = what_enter_repeats(line, self.ctx.settings.repeat)
        return line

    async def _run(self, line: Line, outcome: asyncio.Future[bool], *, wait: bool) -> None:
        if self._events.showing and self.session.stop is not None:
            await self._settled()  # what is answered now is about that stop, and belongs below it
        try:
            result = await run_line(self.ctx, line)
            note_line(self.ctx, line)
            await keep_what_changed(self.ctx)
            self._events.know_bound()
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
        self.left = self.left or result.left
        if result.resumed:
            self._events.anyone = result.anyone
        if result.resumed and not self.over:
            await self._settled(None if wait else _SETTLE)
        elif self.session.stop is not None:
            await self.learn_names()

    async def _show_one(self, result: Result) -> None:
        """What one command of a file gave, and the stop that it leads to."""
        self.add(result.text)
        await self._flush()
        if result.resumed:
            self._events.anyone = result.anyone
            await self.stopped()

    async def _settled(self, seconds: float | None = _SETTLE) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.told.wait()
        await self._flush()

    def interrupt(self) -> None:
        """Ctrl-C, with no text to clear."""
        running = self.session.state.phase == "running"
        if self._command is not None:
            self._command.cancel()
        if running and self.session.observes:
            self.say("You look on: who debugs the program stops it. Ctrl-D leaves.", "class:dim")
        elif running:
            self.later(self.session.pause())
        elif self._command is None:
            self.say("The program stands still. Ctrl-D leaves and lets it run.", "class:dim")

    async def learn_names(self) -> None:
        """Which names are in scope now, for telling commands from Python."""
        with contextlib.suppress(*FAILURES):
            self.names = frozenset(each.name for each in await self.session.locals())

    def end(self) -> None:
        """The program is gone: the prompt ends."""
        if self._ended or self.left:
            return
        self._ended = True
        self.told.set()
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

    @contextlib.asynccontextmanager
    async def _lend(self, wait: bool) -> AsyncIterator[None]:
        assert self.face is not None
        async with self.face.lend(wait):
            with interrupts_of_another(self.interrupt):
                yield

    async def _confirm(self, question: str) -> bool:
        assert self.face is not None
        return await self.face.confirm(question)

    # -- showing ----------------------------------------------------------------------------------

    @property
    def width(self) -> int:
        """Columns of the terminal, or of the pane; in a pipe nothing is cut."""
        if self.layout is not None:
            return self.layout.width
        if not self.printer.stream.isatty():
            return 0
        return size_of(self.printer.stream).columns

    def _fail(self, error: BaseException) -> None:
        self.failed = True
        self._print(sentences(error_text(error), self.width, "class:error"))

    def _print(self, fragments: Fragments) -> None:
        self.printer.print(fragments)

    async def _print_paged(self, fragments: Fragments) -> None:
        assert self.face is not None
        if self.ctx.settings.pager == "on":
            await self.face.page(fragments)
        else:
            self._print(fragments)

    def say(self, text: str, style: str = "") -> None:
        """A sentence, above the line that is being typed."""
        self.add(sentences(text, self.width, style))

    def add(self, fragments: Fragments) -> None:
        """Show something there soon."""
        assert self.above is not None
        self.above.add(fragments)

    def print_output(self, category: str, text: str) -> None:
        """What the program has printed, soon and there, too."""
        assert self.above is not None
        self.above.output(category, text)

    async def _flush(self) -> None:
        if self.above is not None:
            await self.above.flush()

    async def _show_above(self, fragments: Fragments) -> None:
        assert self.face is not None
        await self.face.show(fragments)

    def later(self, coroutine: Any) -> None:
        """Have it done beside what goes on now; what goes wrong in it is told."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.say(error_text(error), "class:error")
