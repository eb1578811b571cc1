"""`remora tutorial`: teaches the debugger inside the debugger, on a small game that it starts.

The prompt is the real one. A `Teacher` stands between it and the terminal: it gives a task before a line is
read, and looks after each line and at each stop whether the task is done. Nobody is kept: whatever is typed
runs, a task may be passed over, and leaving is as ever. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError, UsageError
from remora_client._fragments import wrapped
from remora_client._learning._game import GUESSED, Game, game_lines
from remora_client._learning._lessons import LESSONS, Moment
from remora_client.repl.app import Repl
from remora_client.repl.attach import open_face
from remora_client.repl.printer import Printer, wants_color

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from remora_client._fragments import Fragments
    from remora_client._learning._lessons import Lesson
    from remora_client._model import Breakpoint
    from remora_client.commands import Line
    from remora_client.repl.terminal import Face

__all__ = ["run"]

_PLAYER = "Ada"
_PATIENCE = 3  # lines that do not do the task, until the hint is given unasked
_SECONDS = 15.0
_WIDTH = 74


def run(arguments: Namespace) -> int:
    """Teach until the end, or until the person leaves. Gives the exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The tutorial needs a terminal and somebody before it; remora demo runs by itself.")
    printer = Printer(color=wants_color(sys.stdout, forbidden=arguments.no_color))
    return asyncio.run(_run(Tutorial(printer, arguments.task - 1)))


async def _run(tutorial: Tutorial) -> int:
    with tempfile.TemporaryDirectory(prefix="remora-tutorial-") as folder:
        tutorial.greet()
        breakpoints: Sequence[Breakpoint] = ()
        while True:
            game = Game(tutorial.printer, Path(folder))
            game.aloud = False
            try:
                await game.start(_PLAYER)
                breakpoints, ended = await tutorial.session(game, breakpoints)
                if not ended:
                    await tutorial.say_goodbye(game)
                    return 0
            except TimeoutError:
                raise ClientError("The tutorial's game does not do what it should.", game.story()) from None
            finally:
                await game.close()
            tutorial.say("That game is over. Here is a new one, for the task that is left:")


class Tutorial:
    """Which task it is, and what has been said of it."""

    def __init__(self, printer: Printer, first: int = 0) -> None:
        self.printer = printer
        self.number = first
        self.given = -1  # the last task that was told
        self.attempts = 0
        self.stops = 0

    @property
    def lesson(self) -> Lesson:
        """The task."""
        return LESSONS[self.number]

    def greet(self) -> None:
        """What this is, and how to leave."""
        self.say(
            "Welcome. You will debug a guessing game: real commands, typed by you. If you are stuck, type "
            "`hint`. To see the task again, type `again`; `pass` goes on to the next one, and Ctrl-D or "
            "`quit` leaves at any time."
        )

    def say(self, text: str) -> None:
        """A sentence of ours, after a blank line."""
        self.printer.print(self.said(text))

    def said(self, text: str) -> Fragments:
        """The same as formatted text, in which what stands between backticks is something to type."""
        quote = "" if self.printer.color else "'"
        line: Fragments = []
        for number, part in enumerate(text.split("`")):
            typed = number % 2 == 1
            line.append(("class:command", f"{quote}{part}{quote}") if typed else ("class:narration", part))
        rows = wrapped(line, _WIDTH)
        return [("", "\n"), *(each for row in rows for each in (("class:narration", "# "), *row, ("", "\n")))]

    async def session(
        self, game: Game, breakpoints: Sequence[Breakpoint]
    ) -> tuple[Sequence[Breakpoint], bool]:
        """One game: what breakpoints were set at its end, and whether it has ended by itself."""
        session = await game.attach(breakpoints)
        self.given = -1
        self.stops = 0
        try:
            repl = Repl(session, self.printer)
            repl.ctx.feed = game.type
            teacher = Teacher(self, repl, game)
            session.listen(teacher.on_event)
            game.mark()
            await repl.run(teacher, greet=False)
            await teacher.close()
            return session.breakpoints, session.state.over and await game.has_ended()
        finally:
            await session.detach()

    async def say_goodbye(self, game: Game) -> None:
        """The end of the game, when all was done; else where to go on."""
        if self.number < len(LESSONS) - 1:
            self.say(f"See you. `remora tutorial --task {self.number + 1}` goes on here.")
            return
        with contextlib.suppress(TimeoutError, ClientError):
            game.mark()
            await game.type("15")
            await game.until("guesses.", game.shown)
        self.printer.print(game_lines(game.said[game.shown :]))
        self.say(
            "That was all of it. In a program of yours: `import remora; remora.enable_attach(SECRET)`, and "
            "then `remora attach HOST`. The commands are in the help, and in the manual."
        )


class Teacher:
    """A `Face` before another one: it gives tasks, and looks whether they are done."""

    is_person = True

    def __init__(self, tutorial: Tutorial, repl: Repl, game: Game) -> None:
        self._tutorial = tutorial
        self._repl = repl
        self._game = game
        self._face: Face = open_face(repl)
        self._looked_at: Line | None = None
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def read(self) -> str:
        """Give the task if it is a new one; then a line, unless it is meant for us."""
        while True:
            await self._go_on()
            if self._repl.session.state.over:
                raise EOFError
            text = await self._face.read()
            word = text.strip().lower()
            if word == "hint":
                await self._tell(f"Type: `{self._tutorial.lesson.hint}`")
            elif word == "again":
                self._tutorial.given = -1
            elif word == "pass":
                self._repl.line = None
                await self._pass()
            else:
                return text

    async def _pass(self) -> None:
        if self._tutorial.number == len(LESSONS) - 1:
            await self._tell("This is the last task. Ctrl-D leaves.")
            return
        await self._next()

    async def _go_on(self) -> None:
        async with self._turn:
            await self._look()
            if not self._repl.session.state.over:
                await self._give()

    async def _look(self) -> None:
        """Is the task done? Then praise, and what follows from it."""
        tutorial, repl = self._tutorial, self._repl
        if repl.session.state.over or tutorial.given != tutorial.number:
            return
        line = repl.line
        if not repl.failed and tutorial.lesson.done(Moment(repl.ctx, line, tutorial.stops)):
            if tutorial.lesson.praise:
                await self._tell(f"✔ {tutorial.lesson.praise}")
            await self._next()
        elif line is not None and line != self._looked_at:
            self._looked_at = line
            tutorial.attempts += 1
            if repl.failed or tutorial.attempts % _PATIENCE == 0:
                await self._tell(f"To go on: `{tutorial.lesson.hint}`   (or `pass`)")

    async def _next(self) -> None:
        guesses = self._tutorial.lesson.guess.split()
        self._tutorial.number += 1
        for guess in guesses:
            await self._play(guess)

    async def _play(self, guess: str) -> None:
        """Ada guesses; wait for what comes of it: a stop, or the next question."""
        session = self._repl.session
        before, stops = len(self._game.said), session.state.stops
        await self._game.type(guess)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                while session.state.stops == stops and not session.state.over:
                    if "Take a guess." in self._game.said[before:]:
                        return
                    await asyncio.sleep(0.02)
                await self._repl.stopped()

    async def _give(self) -> None:
        """Tell the task, once, and see that it can be done."""
        tutorial = self._tutorial
        if tutorial.given != tutorial.number:
            tutorial.given = tutorial.number
            tutorial.attempts = 0
            tutorial.stops = self._repl.session.state.stops
            await self._tell(f"{tutorial.number + 1}/{len(LESSONS)}  {tutorial.lesson.tell}")
        if tutorial.lesson.stopped and self._repl.session.stop is None:
            await self._stop_again()

    async def _stop_again(self) -> None:
        """The task needs the game to stand still, and it runs."""
        points = [each for each in self._repl.session.breakpoints if each.verified and each.active]
        if not points:
            await self._tell(f"The game runs. To stop it again: `break {GUESSED}`")
            return
        await self._tell("The game runs, so Ada guesses again, and it stops at your breakpoint.")
        await self._play("21")
        self._tutorial.stops = self._repl.session.state.stops

    def on_event(self, event: str, body: dict[str, Any]) -> None:
        """A stop may be what the task is about, while the prompt waits for a line."""
        if event == "stopped":
            task = asyncio.get_running_loop().create_task(self._after_stop())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _after_stop(self) -> None:
        await self._repl.stopped()
        await self._go_on()

    async def close(self) -> None:
        """Nothing is looked at any more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tell(self, text: str) -> None:
        await self._face.show(self._tutorial.said(text))

    # -- the rest is the other face's -------------------------------------------------------------

    async def show(self, fragments: Fragments) -> None:
        """Show text above the line."""
        await self._face.show(fragments)

    async def page(self, fragments: Fragments) -> None:
        """Show an answer, a screenful at a time."""
        await self._face.page(fragments)

    async def confirm(self, question: str) -> bool:
        """Ask yes or no."""
        return await self._face.confirm(question)

    def redraw(self) -> None:
        """Something has changed."""
        self._face.redraw()

    def leave(self) -> None:
        """End the reading."""
        self._face.leave()

    def quiet(self) -> AbstractContextManager[None]:
        """Typing ahead is for the next prompt."""
        return self._face.quiet()

    def lend(self, wait: bool) -> AbstractAsyncContextManager[None]:
        """Give the terminal to another program."""
        return self._face.lend(wait)
