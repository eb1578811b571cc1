"""Commands about the same files on two machines: map and fetch."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError
from remora_client._finding._mapping import guess_folders, where_is
from remora_client._finding._places import current_place, find_source, is_library
from remora_client._fragments import table
from remora_client._text import visible
from remora_client.commands._table import CommandError, Result, command
from remora_client.render import value_line
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora_client._model import Source
    from remora_client.commands._context import Context

__all__: list[str] = []

_MOST = 2000  # files that are saved at once


@command(
    "map",
    group="sources",
    usage="[THEIRS OURS | -guess | -t PATH | -d THEIRS]",
    argument="file",
)
async def map_(ctx: Context, arguments: str) -> Result:
    """Say where the program's folders are on this machine.

    map /app ~/code/shop. Files are found by their names anyway: this is for where that is not enough. The
    longest folder that fits wins. -guess finds folders from the files that are on both sides; -t PATH tells
    where a path leads, in both directions; -d takes a folder out. Without arguments, list them.
    """
    words = _words(arguments)
    if words == ["-guess"]:
        return await _guess(ctx)
    if len(words) == 2 and words[0] == "-t":
        return _test(ctx, words[1])
    if len(words) == 2 and words[0] == "-d":
        if not ctx.session.sources.maps.remove(words[1]):
            raise CommandError(f"{words[1]} is not mapped.", "map lists what is.")
    elif len(words) == 2 and not words[0].startswith("-"):
        ours = os.path.abspath(os.path.expanduser(words[1]))
        if not os.path.isdir(ours):
            raise CommandError(f"There is no folder {ours} here.", "The program's comes first, then yours.")
        ctx.session.sources.maps.add(words[0], ours)
    elif words:
        raise CommandError("map takes the program's folder and yours.", "As in: map /app ~/code/shop")
    await ctx.session.send_breakpoints()
    return _listed(ctx)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, posix=os.name != "nt")
    except ValueError as error:
        raise CommandError(f"{text} cannot be read: {error}.") from None


def _listed(ctx: Context) -> Result:
    rows = ctx.session.sources.maps.rows
    text = table(
        [[[("class:path", visible(theirs))], [("class:path", visible(ours))]] for theirs, ours in rows]
    )
    data = [{"theirs": theirs, "ours": ours} for theirs, ours in rows]
    return Result(data, text or [("class:dim", "Nothing is mapped: files are found by their names.\n")])


async def _guess(ctx: Context) -> Result:
    found = await guess_folders(ctx.session)
    if not found:
        told = "none of the program's own files is here" if found is None else "the same paths here and there"
        return Result([], [("class:dim", f"Nothing to map: {told}.\n")])
    rows = [
        [
            [("class:path", visible(each.theirs))],
            [("class:path", visible(each.ours))],
            [("class:dim", f"{each.files} file{'s' * (each.files != 1)}")],
        ]
        for each in found
    ]
    return Result([asdict(each) for each in found], table(rows))


def _test(ctx: Context, path: str) -> Result:
    found = where_is(ctx.session, path)
    data = {"ours": found.ours, "theirs": found.theirs, "mapped": found.is_mapped}
    how = "by the map" if found.is_mapped else "by its name"
    text = [("", f" here   {visible(found.ours or 'nowhere')}"), ("class:dim", f"  {how}\n")]
    if found.theirs:
        text.append(("", f" there  {visible(found.theirs)}\n"))
    return Result(data, text)


@command("fetch", group="sources", usage="[FILE] [-save FOLDER]", argument="file")
async def fetch(ctx: Context, arguments: str) -> Result:
    """Show a file as the program has loaded it, whether there is a copy here or not.

    With -save FOLDER, write it there under its own name, or all of the program's own files: fetch -save src.
    Files that are there with another text are replaced when you say so.
    """
    words = _words(arguments)
    folder = None
    if "-save" in words:
        at = words.index("-save")
        if at + 1 >= len(words):
            raise CommandError("-save takes a folder.", "As in: fetch app.py -save /tmp/src")
        folder = words[at + 1]
        del words[at : at + 2]
    if folder is not None and not words:
        return await _save_all(ctx, folder)
    source = await _wanted(ctx, words)
    text = await ctx.session.text_at(source.path)
    if text is None:
        raise CommandError(f"The program has no text for {source.path}.", "It may come from exec, or from C.")
    if folder is None:
        return Result({"path": source.path, "text": text}, value_line(text.removesuffix("\n")))
    target = _target(folder, source.path)
    if _differs(target, text) and not await ctx.agreed(f"{visible(target)} has another text. Replace it?"):
        return Result()
    saved = _save(target, text)
    return Result({"path": source.path, "file": saved}, [("", f"{visible(saved)}\n")])


async def _wanted(ctx: Context, words: list[str]) -> Source:
    if not words:
        path, _ = await current_place(ctx.session, ctx.shown_place)
    else:
        path = words[0]
    found = await find_source(ctx.session, path)
    if found is None:
        raise CommandError(f"No loaded file is called {path}.", "sources lists those there are.")
    return found


async def _save_all(ctx: Context, folder: str) -> Result:
    loaded = [each for each in await ctx.session.loaded_sources() if not is_library(each.path)]
    texts: dict[str, str] = {}
    for each in loaded[:_MOST]:
        try:
            text = await ctx.session.text_at(each.path)
        except (ClientError, RequestFailed):
            continue
        if text is not None:
            texts[_target(folder, each.path, whole=True)] = text
    others = [target for target, text in texts.items() if _differs(target, text)]
    if others:
        what = "1 file there has" if len(others) == 1 else f"{len(others)} files there have"
        if not await ctx.agreed(f"{what} another text. Replace?"):
            return Result()
    files = [_save(target, text) for target, text in texts.items()]
    data: dict[str, Any] = {"folder": folder, "files": files}
    return Result(data, [("", f"{len(files)} files are in {visible(folder)}\n")])


def _target(folder: str, path: str, *, whole: bool = False) -> str:
    """Where it goes: below the folder, never outside, so of its path only plain names count."""
    parts = path.replace("\\", "/").split("/")
    parts = [part for part in parts if part not in ("", ".", "..") and ":" not in part]
    return os.path.join(os.path.expanduser(folder), *(parts if whole else parts[-1:]))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _differs(target: str, text: str) -> bool:
    """Whether a file is there that is not the same."""
    try:
        with open(target, "rb") as stream:
            return stream.read() != _encoded(text)
    except OSError:
        return False


def _save(target: str, text: str) -> str:
    try:
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        with open(target, "wb") as stream:
            stream.write(_encoded(text))
    except OSError as error:
        raise CommandError(f"{target} cannot be written: {error.strerror}") from None
    return target
