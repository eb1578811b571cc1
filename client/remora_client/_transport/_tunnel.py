"""A connection that is a command's standard input and output: ssh, `kubectl exec`, `docker exec`, anything.

At the command's other end runs `python -m remora proxy --stdio`, to which whoever could start it is the same
user. The command keeps the terminal, so that ssh can ask its questions, and is deaf to Ctrl-C. What it writes
to its standard error is shown when no session comes about. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import sys
from typing import TYPE_CHECKING

from remora_client._errors import (
    CertificateRefused,
    ConnectError,
    NameNotFound,
    NotARemora,
    Refused,
    Rejected,
    TimedOut,
    Unreachable,
    UsageError,
)
from remora_client._text import visible

if TYPE_CHECKING:
    from remora_client._options import ConnectOptions
    from remora_protocol import Qualifier

__all__ = ["Tunnel", "command_for"]

_KEPT = 8 * 1024
_SHOWN = 300
_ENDING = 2.0
# A shell of the person's own: the signal has to be ignored from the start, and without a moment in which
# this process, with its threads, ignores it, too.
_DEAF = ("sh", "-c", 'trap "" INT; exec "$@"', "remora")
#: What OpenSSH says, and what it means. The first that fits.
_SSH = (
    (r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED", CertificateRefused, "Its host "
     "key is not known here, or has changed. Look at it: ssh {place}"),
    (r"Permission denied", Rejected, "Can you log in there by hand? ssh {place}"),
    (r"Could not resolve hostname", NameNotFound, "Check the spelling; an alias of ~/.ssh/config will do."),
    (r"Connection refused", Refused, "Does sshd run there, on this port?"),
    (r"timed out", TimedOut, "Is the host up, and is there a firewall in between?"),
    (r"No route to host|Network is unreachable", Unreachable, "Is this machine on the right network (VPN)?"),
)  # fmt: skip


def command_for(qualifier: Qualifier, options: ConnectOptions) -> list[str]:
    """The command that leads to a `ssh://` or a `--via`. Raises `UsageError`."""
    if qualifier.scheme == "via":
        return _split(qualifier.path, "--via")
    python = options.remote_python or os.environ.get("REMORA_REMOTE_PYTHON") or "python3"
    command = [
        *_split(os.environ.get("REMORA_SSH") or "ssh", "REMORA_SSH"),
        *("-T", "-a", "-x", "-o", "ClearAllForwardings=yes"),
        *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=2"),
        *("-o", f"ConnectTimeout={max(1, round(options.timeout))}"),
    ]
    if options.ask_secret is None:
        command += ["-o", "BatchMode=yes"]
    if qualifier.port:
        command += ["-p", str(qualifier.port)]
    if qualifier.user is not None:
        command += ["-l", qualifier.user]
    return [*command, "--", qualifier.host, f"{python} -m remora proxy --stdio"]


def _split(text: str, where: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{where} is no command: {error}.") from None
    if not words:
        raise UsageError(f"{where} is empty: a command is needed.")
    return words


class Tunnel:
    """A command that runs. Make it with `open`."""

    def __init__(self, process: asyncio.subprocess.Process, place: str) -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        self.reader = process.stdout
        self.writer = process.stdin
        self._process = process
        self._place = place
        self._is_ssh = place.startswith("ssh://")
        self._said = b""
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def open(cls, command: list[str], place: str) -> Tunnel:
        """Start a command. Raises `UsageError` when there is none of that name."""
        pipe = asyncio.subprocess.PIPE
        deaf = () if sys.platform == "win32" else _DEAF
        try:
            process = await asyncio.create_subprocess_exec(
                *deaf, *command, stdin=pipe, stdout=pipe, stderr=pipe, limit=1 << 20
            )
        except OSError as error:
            raise UsageError(f"{command[0]} cannot be started: {error.strerror}.") from None
        return cls(process, place)

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(4096):
            self._said = (self._said + data)[-_KEPT:]

    async def close(self) -> None:
        """End the command, which ends by itself when its input does."""
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.close()
        await self._wait(_ENDING)
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._wait(_ENDING)
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._process.wait()
                await asyncio.shield(self._listening)

    async def explain(self, error: ConnectError) -> ConnectError:
        """Why no session came about: what the command said, if it has ended or said anything."""
        await self._wait(_ENDING)
        code = self._process.returncode
        lines = self._said.decode("utf-8", "replace").splitlines()
        said = visible(" ".join(" ".join(line.split()) for line in lines if not line.startswith("@")))
        shown = said if len(said) <= _SHOWN else f"…{said[-_SHOWN:]}"  # the end says how it ended
        if "No module named remora" in said:
            return NotARemora(
                f"{self._place}: the Python over there has no Remora.",
                "pip install remora there; or name the Python that has it, as in /srv/app/venv/bin/python"
                + (": --remote-python (or REMORA_REMOTE_PYTHON)." if self._is_ssh else "."),
            )
        if code == 127 or ("not found" in said and "python" in said):
            return NotARemora(
                f"{self._place}: a command was not found. It said: {shown}",
                "Say which Python there has Remora, by --remote-python (or REMORA_REMOTE_PYTHON)."
                if self._is_ssh
                else "Is it the whole command, and is each program there where it has to run?",
            )
        for sign, kind, remedy in _SSH:
            if code == 255 and re.search(sign, said):
                return kind(
                    f"{self._place}: {shown}", remedy.format(place=self._place.removeprefix("ssh://"))
                )
        if code is None:
            return error if not said else type(error)(f"{error.text} It said: {shown}", error.remedy)
        return NotARemora(
            f"{self._place}: the way there ended with code {code}." + (f" It said: {shown}" if said else ""),
            "At its other end has to run `python3 -m remora proxy --stdio`, and nothing else may write there "
            "(a profile that greets, say).",
        )
