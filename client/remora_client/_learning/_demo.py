"""`remora demo`: starts a small game in a process of its own, and debugs it over TLS, telling what it does.

What is shown is what the client really says: the same prompt code runs, with lines from a list. On a terminal
the person takes over at the end. Whatever was started is ended again. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from remora_client._connecting._connect import connect
from remora_client._errors import ClientError
from remora_client._learning._demo_game import with_remora
from remora_client._learning._game import GUESSED, Game, game_lines
from remora_client._options import ConnectOptions
from remora_client._subcommands._process_table import table
from remora_client._terminal_size import size_of
from remora_client.repl.app import Repl
from remora_client.repl.attach import run_sessions
from remora_client.repl.lexer import LineLexer
from remora_client.repl.printer import Printer, wants_color
from remora_protocol import Qualifier

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from remora_client._fragments import Fragments
    from remora_client._model import Breakpoint
    from remora_client._sessions._session import Session
    from remora_client.commands import Context

__all__ = ["run"]

_SECONDS = 15.0  # for anything that the game or the client should do at once
_PLAYER = "Ada"
_CHEAT = 15


def run(arguments: Namespace) -> int:
    """Show it, hand over where there is a person, clean up. Gives the exit code."""
    printer = Printer(color=wants_color(sys.stdout, forbidden=arguments.no_color))
    with tempfile.TemporaryDirectory(prefix="remora-demo-") as folder:
        return asyncio.run(_run(printer, Path(folder)))


async def _run(printer: Printer, folder: Path) -> int:
    demo = Demo(printer, folder)
    try:
        await demo.start_game()
        await demo.tour()
        if demo.interactive:
            return await demo.hand_over()
        demo.say("That was all. On a terminal, it would be your turn now.")
        return 0
    except TimeoutError:
        raise ClientError("The demo's game does not do what it should.", demo.game.story()) from None
    finally:
        await demo.game.close()


@dataclass
class Step:
    """A line for the prompt, what to say before it, and what somebody else does after it."""

    line: str
    tell: str = ""
    then: Callable[[], Awaitable[None]] | None = None


class Demo:
    """The game, the debugger, and somebody who explains them."""

    def __init__(self, printer: Printer, folder: Path) -> None:
        self.printer = printer
        self.folder = folder
        self.interactive = sys.stdin.isatty() and printer.stream.isatty()
        self.game = Game(printer, folder)

    # -- telling ----------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """A sentence of ours."""
        self.printer.print([("", "\n"), ("class:narration", f"# {text}\n")])

    def shell(self, text: str) -> None:
        """A command as a person would type it."""
        self.printer.print([("class:dim", "$ "), ("bold", f"{text}\n")])

    async def pause(self, seconds: float = 0.9) -> None:
        """Time to read, where somebody reads."""
        if self.interactive:
            await asyncio.sleep(seconds)

    async def start_game(self) -> None:
        """Start the game, and say how it lets a debugger in."""
        self.say("A game runs, in a process of its own. One call in it lets a debugger in, over TLS:")
        self.printer.print(
            [("class:dim", f"    {line}\n") for line in with_remora().splitlines()[:5] if line]
        )
        await self.pause()
        self.shell("python guessing_game.py")
        await self.game.start(_PLAYER)

    # -- the debugger -----------------------------------------------------------------------------

    async def tour(self) -> None:
        """The part that runs by itself."""
        await self.pause()
        await self._list()
        await self.pause()
        self.say("Attach. The secret is never sent, and the login is bound to the certificate.")
        self.shell(f"remora attach {self._address()} --fingerprint {self._short()}")
        self.game.aloud = False
        session = await self.game.attach()
        repl = Repl(session, self.printer)
        try:
            await repl.run(Script(self, repl, self._steps(repl)))
        finally:
            await session.detach()
        self.say("The debugger is gone, and the game goes on as if nothing had been:")
        await self.game.until("Take a guess.", self.game.shown)
        self.printer.print(game_lines(self.game.said[self.game.shown :]))
        self.game.aloud = True
        before = len(self.game.said)
        await self.game.type("20")
        await self.game.until("Take a guess.", before)

    async def _list(self) -> None:
        self.say("What can be debugged there?")
        self.shell(f"remora ls {self._address()} --fingerprint {self._short()}")
        qualifier = Qualifier("tcps", "127.0.0.1", self.game.port, self.game.secret, None)
        link = await connect(qualifier, ConnectOptions(fingerprint=self.game.fingerprint))
        try:
            rows = table(await link.processes(), size_of(self.printer.stream).columns)
        finally:
            await link.close()
        self.printer.print([("", f"{row}\n") for row in rows])

    def _steps(self, repl: Repl) -> list[Step]:
        async def guess() -> None:
            self.say("Somebody guesses 7 in the game, and it stops there:")
            await self.game.type("7")
            await self._stopped(repl)

        return [
            Step(
                f"break guessing_game.py:{GUESSED}",
                "A breakpoint, by the file's name. The game runs on meanwhile.",
                guess,
            ),
            Step("print guess", "It stands still now. Look around:"),
            Step("locals"),
            Step("where"),
            Step(f"number = {_CHEAT}", "What is no command is Python, and runs in the game. So cheat:"),
            Step("next"),
            Step("detach", "Leave. The breakpoint goes away, the game runs on."),
        ]

    async def _stopped(self, repl: Repl) -> None:
        async with asyncio.timeout(_SECONDS):
            await repl.stopped()

    async def hand_over(self) -> int:
        """The person's part: the same game, stopped at a breakpoint, and a prompt."""
        self.say("Your turn. The debugger attaches again, and stops the game after the next guess.")
        self.game.aloud = False
        async with await self.game.attach() as session:
            await session.add_breakpoint("guessing_game.py", GUESSED)
            self.printer.print(
                [
                    ("", "  Try: "),
                    ("class:command", "print number"),
                    ("", ", "),
                    ("class:command", "continue"),
                    ("", ", then make a guess with "),
                    ("class:command", "stdin 15"),
                    ("", "; "),
                    ("class:command", "help"),
                    ("", " lists the rest, "),
                    ("class:command", "quit"),
                    ("", " ends the demo.\n\n"),
                ]
            )
            await self.game.type("9")
            async with asyncio.timeout(_SECONDS):
                await session.wait_for_stop()
            code = await run_sessions(session, self.printer, self._prepare, greet=False)
        self.say(
            "The game is ended. To debug a program of yours: import remora; remora.enable_attach(SECRET)"
        )
        return code

    def _prepare(self, ctx: Context) -> None:
        ctx.feed, ctx.launch = self.game.type, self._start_again

    async def _start_again(self, arguments: str, breakpoints: Sequence[Breakpoint]) -> Session:
        try:
            words = shlex.split(arguments)
        except ValueError as error:
            raise ClientError(f"These are no arguments: {error}.") from None
        await self.game.close()
        await self.game.start(_PLAYER, words)
        return await self.game.attach(breakpoints)

    def _address(self) -> str:
        return f"tcps://127.0.0.1:{self.game.port}"

    def _short(self) -> str:
        return f"{self.game.fingerprint[:8]}…"


@dataclass
class Script:
    """A `Face` with nobody behind it: lines from a list, typed as if by a person."""

    demo: Demo
    repl: Repl
    steps: list[Step]
    is_person: bool = True
    _then: Callable[[], Awaitable[None]] | None = field(default=None)

    async def read(self) -> str:
        """The next line of the list, after what the last one set off."""
        if self._then is not None:
            then, self._then = self._then, None
            await self.demo.pause()
            await then()
        if not self.steps:
            raise EOFError
        step = self.steps.pop(0)
        await self.demo.pause()
        if step.tell:
            self.demo.say(step.tell)
        lexer = LineLexer(lambda: self.repl.names, lambda: "command")
        from prompt_toolkit.document import Document

        styled = [(style, text) for style, text, *_ in lexer.lex_document(Document(step.line))(0)]
        self.repl.printer.print([("class:prompt", "remora❯ "), *styled, ("", "\n")])
        self._then = step.then
        if step.line == "detach":
            self.demo.game.mark()
        return step.line

    async def show(self, fragments: Fragments) -> None:
        """Print."""
        self.repl.printer.print(fragments)

    async def page(self, fragments: Fragments) -> None:
        """Print all of it."""
        self.repl.printer.print(fragments)

    async def confirm(self, question: str) -> bool:
        """Nobody to ask."""
        return True

    def redraw(self) -> None:
        """Nothing is drawn twice."""

    def leave(self) -> None:
        """The list ends by itself."""

    def quiet(self) -> AbstractContextManager[None]:
        """Nobody types."""
        return contextlib.nullcontext()

    def lend(self, wait: bool) -> AbstractAsyncContextManager[None]:
        """Nobody asks for it."""
        return contextlib.nullcontext()
