"""Programs of this machine: what `sh` runs, and what a command's answer is sent through."""

from __future__ import annotations

import asyncio
import contextlib
import os

from remora_client._errors import ClientError

__all__ = ["default_shell", "run_shell"]


async def run_shell(command: str, given: str | None = None) -> tuple[str, int]:
    """Run a line in this machine's shell: what it printed, errors too, and its exit code.

    Args:
        given: what it reads. None: its input and output are ours, so that it may be an editor.
    """
    pipe = asyncio.subprocess.PIPE
    try:
        if given is None:
            process = await asyncio.create_subprocess_shell(command)
        else:
            process = await asyncio.create_subprocess_shell(
                command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
            )
    except OSError as error:
        raise ClientError(f"The shell does not start: {error.strerror}.") from None
    try:
        told, _ = await process.communicate(
            None if given is None else given.encode("utf-8", "backslashreplace")
        )
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            process.kill()
        await process.wait()
        raise
    return (told or b"").decode("utf-8", "backslashreplace"), process.returncode or 0


def default_shell() -> str:
    """The person's own shell."""
    return os.environ.get("SHELL") or os.environ.get("COMSPEC") or "sh"
