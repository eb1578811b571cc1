"""Breakpoints in a file, each as the command that sets it again: also of the prompt's `save` and `load`.

Runs on the event loop's thread.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from remora_client._errors import ClientError
from remora_client._finding._setting import set_breakpoint
from remora_client._places import project_file, write_private
from remora_client._text import visible
from remora_client.locspec import LocationError, parse_break, quoted
from remora_protocol import RequestFailed, split_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from remora_client._model import Breakpoint
    from remora_client._sessions._session import Session

__all__ = ["kept_file", "load_breakpoints", "saved_breakpoints", "write_kept", "write_lines"]

_OF_THE_PROMPT = ("display", "alias")  # what its `save` writes besides


def kept_file() -> Path:
    """Where the breakpoints of this project are kept: that of the folder that the client was started in."""
    return project_file("breakpoints", os.getcwd())


def write_kept(lines: Iterable[str]) -> Path:
    """Keep them for this project. Raises `ClientError`."""
    path = kept_file()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, _encoded(lines))
    except OSError as error:
        raise ClientError(f"{path} cannot be written: {error.strerror}") from None
    return path


def write_lines(path: str, lines: Iterable[str]) -> None:
    """Write them into a file. Raises `ClientError`."""
    try:
        with open(os.path.expanduser(path), "wb") as stream:
            stream.write(_encoded(lines))
    except OSError as error:
        raise ClientError(f"{visible(path)} cannot be written: {error.strerror}") from None


def _encoded(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


async def saved_breakpoints(session: Session) -> list[tuple[Breakpoint, str]]:
    """Each with the command that sets it again, to its line even when that has moved by then."""
    waited_for = {each.after for each in session.breakpoints}
    names = {
        each.number: each.name or (f"saved-{each.number}" if each.number in waited_for else "")
        for each in session.breakpoints
    }
    return [(each, await _saved(session, each, names)) for each in session.breakpoints]


async def _saved(session: Session, each: Breakpoint, names: dict[int, str]) -> str:
    options = {
        "name": names[each.number],
        "hit": each.hit_condition or "",
        "log": each.log_message or "",
        "after": names.get(each.after, "") if each.after is not None else "",
        "text": await _text_of_line(session, each) if each.kind == "line" else "",
    }
    words = ["break", *(["-tmp"] if each.temporary else []), *([] if each.enabled else ["-disabled"])]
    words += [] if each.at == "call" else [f"-{each.at[0]}"]
    words += [f"-{key} {value!r}" for key, value in options.items() if value]
    column = f":{each.column}" if each.column is not None else ""
    words.append(each.function or f"{quoted(each.path)}:{each.line}{column}")
    words += [f"{kind} {value!r}" for kind, value in (("thread", each.thread), ("task", each.task)) if value]
    return " ".join(words) + (f" if {each.condition}" if each.condition else "")


async def _text_of_line(session: Session, each: Breakpoint) -> str:
    """What stands on its line, where that can be seen."""
    local = session.sources.read(each.path) if each.in_copy else None
    text = local.text if local else None
    if text is None:
        with contextlib.suppress(ClientError):  # the session may be over, and what was shown is still known
            text = await session.text_at(each.bound_path or each.path)
    lines = split_source(text) if text else []
    return lines[each.line - 1].strip() if 0 < each.line <= len(lines) else ""


async def load_breakpoints(session: Session, path: str | None = None) -> list[Breakpoint]:
    """Set those that a file has, by default this project's. What else the prompt saved is passed over.

    Raises:
        ClientError: the file cannot be read, or a breakpoint of it cannot be set; says in which line.
    """
    file = str(kept_file()) if path is None else os.path.expanduser(path)
    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    except FileNotFoundError:
        if path is not None:
            raise ClientError(f"There is no file {visible(path)}.") from None
        raise ClientError("Nothing is kept for this project yet.", "save breakpoints keeps them.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ClientError(f"{visible(file)} cannot be read: {reason}") from None
    made: list[Breakpoint] = []
    for number, arguments in _described(text, file):
        try:
            made.append(await set_breakpoint(session, parse_break(arguments)))
        except (ClientError, RequestFailed) as error:
            raise ClientError(f"{os.path.basename(file)}:{number}: {error}") from None
    return made


def _described(text: str, file: str) -> Iterator[tuple[int, str]]:
    """The arguments of each `break`, with the number of its line."""
    in_block = False
    for number, line in enumerate(text.splitlines(), 1):
        word, _, arguments = line.strip().partition(" ")
        if in_block or word == "commands":
            in_block = word != "end"
        elif word == "break":
            yield number, arguments.strip()
        elif word and word not in _OF_THE_PROMPT and not word.startswith("#"):
            raise LocationError(
                f"{os.path.basename(file)}:{number}: {visible(word)} is none of what save writes.",
                "A file of commands is for remora exec -x, or source at the prompt.",
            )
