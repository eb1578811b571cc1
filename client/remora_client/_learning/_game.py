"""The game that `remora demo` and `remora tutorial` debug: in a process of its own, with TLS and a secret.

Somebody has to play it: what `type` is given goes to its input. Whoever started it ends it. Runs on the event
loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from typing import TYPE_CHECKING

from remora_client._connecting._connect import connect
from remora_client._credentials._certificates import make_self_signed
from remora_client._errors import ClientError
from remora_client._learning._demo_game import with_remora
from remora_client._options import AttachOptions, ConnectOptions
from remora_client._sessions._session import Session
from remora_client._text import visible
from remora_protocol import Qualifier

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from remora_client._fragments import Fragments
    from remora_client._model import Breakpoint
    from remora_client.repl.printer import Printer

__all__ = ["GUESSED", "Game", "game_lines"]

GUESSED = 1 + with_remora().splitlines().index("    guesses_taken += 1")
"""The line straight after a guess was made."""

_SECONDS = 15.0  # for anything that the game should do at once


class Game:
    """The process.

    Attributes:
        said: all that it has printed.
        shown: how much of that somebody has seen.
        aloud: show what it prints: nobody is attached who would.
    """

    def __init__(self, printer: Printer, folder: Path) -> None:
        self.printer = printer
        self.folder = folder
        self.port = 0
        self.fingerprint = ""
        self.said = ""
        self.shown = 0
        self.aloud = True
        self._secret = secrets.token_urlsafe(12)
        self._process: Process | None = None
        self._heard = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    @property
    def secret(self) -> str:
        """What lets a debugger in."""
        return self._secret

    def story(self) -> str:
        """The end of what it has printed, for an error message."""
        return "It printed: " + visible(self.said[-500:])

    async def start(self, name: str, arguments: Sequence[str] = ()) -> None:
        """Start it with a certificate and a secret made for this run, and tell it a name."""
        self.said = ""
        certificate, key, self.fingerprint = make_self_signed(["127.0.0.1"], 1)
        source = self.folder / "guessing_game.py"
        source.write_text(with_remora(), encoding="utf-8")
        (self.folder / "demo.crt").write_bytes(certificate)
        (self.folder / "demo.key").touch(mode=0o600)
        (self.folder / "demo.key").write_bytes(key)
        environment = {**os.environ, "DEMO_SECRET": self._secret, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(source),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self.folder,
            env=environment,
        )
        self._reader = asyncio.get_running_loop().create_task(self._listen())
        await self.until("What is your name?")
        self.port = int(self.said.partition("Listening on 127.0.0.1 ")[2].split()[0])
        await self.type(name)
        await self.until("Take a guess.")

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(4096):
            text = data.decode("utf-8", "backslashreplace")
            self.said += text
            self._heard.set()
            if self.aloud:
                self.printer.print(game_lines(text))

    async def until(self, text: str, since: int = 0) -> None:
        """Wait until the game has printed a text, and is through with that line."""
        async with asyncio.timeout(_SECONDS):
            while text not in self.said[since:]:
                if self._process is not None and self._process.returncode is not None:
                    raise ClientError("The game has ended by itself.", self.story())
                self._heard.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._heard.wait(), 1)

    def mark(self) -> None:
        """The debugger is about to leave: from here on its output reaches nobody."""
        self.shown = len(self.said)

    async def type(self, text: str) -> None:
        """Somebody types a line into the game."""
        assert self._process is not None
        assert self._process.stdin is not None
        if self.aloud:
            self.printer.print([("class:output.console", "game ┊ "), ("bold", f"{visible(text)}\n")])
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(f"{text}\n".encode())
            await self._process.stdin.drain()

    async def has_ended(self) -> bool:
        """Whether the process is over, or is within a few seconds."""
        assert self._process is not None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), 3)
        return self._process.returncode is not None

    async def close(self) -> None:
        """End the game, if it still runs."""
        if self._process is None:
            return
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        if self._reader is not None:
            await self._reader
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def attach(self, breakpoints: Iterable[Breakpoint] = ()) -> Session:
        """Debug it, over TLS."""
        qualifier = Qualifier("tcps", "127.0.0.1", self.port, self._secret, None)
        link = await connect(qualifier, ConnectOptions(fingerprint=self.fingerprint))
        try:
            return await Session.attach(link, how=AttachOptions([str(self.folder)]), breakpoints=breakpoints)
        except BaseException:
            await link.close()
            raise


def game_lines(text: str) -> Fragments:
    """What the game printed, as it is shown where no debugger does."""
    out: Fragments = []
    for line in text.splitlines():
        if line.strip() not in ("", ">"):
            out += [("class:output.console", "game ┊ "), ("", f"{visible(line)}\n")]
    return out
