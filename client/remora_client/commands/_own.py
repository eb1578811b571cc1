"""Commands and renderers that people write themselves, in plain Python on the client.

They come from entry points (`remora.commands`, `remora.renderers`) and from `commands/*.py` in the settings
folder. An error in one is told with its file and line, and ends nothing. The files are loaded once, before
the session; plain functions then run in threads of their own, everything else on the event loop's thread. A
renderer that takes its time is given up, and left out from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import json
import os
import stat
import sys
from typing import TYPE_CHECKING, Any

from remora_client._declared import declared_in
from remora_client._errors import ClientError
from remora_client._model import Value
from remora_client._places import config_dir
from remora_client._text import visible, visible_block
from remora_client.commands._beside import beside
from remora_client.commands._table import CommandError, Result, command
from remora_client.render import value_line, variable_lines
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.metadata import EntryPoint
    from pathlib import Path

    from remora_client._declared import Declared
    from remora_client._scripting._loop_thread import LoopThread
    from remora_client._sessions._session import Session
    from remora_client.commands._context import Context

__all__ = ["load_own", "own_renderers", "own_text", "rendered"]

_GROUPS = ("remora.commands", "remora.renderers")
_METADATA = (".dist-info", "egg-info")  # endings of the folders that say what a package brings
_SECONDS = 2.0  # that a renderer may take
_renderers: dict[str, Declared] = {}
_seen: set[Any] = set()  # what was loaded already


def load_own(complain: Callable[[str], None]) -> None:
    """Find and load them all. What cannot be loaded is complained of, and left out."""
    for entry in _entry_points():
        if (entry.group, entry.name, entry.value) not in _seen:
            _seen.add((entry.group, entry.name, entry.value))
            _load(f"the entry point {entry.name} of {entry.group}", entry.load, complain)
    folder = config_dir() / "commands"
    for path in sorted(folder.glob("[!.]*.py")) if folder.is_dir() else ():
        if path not in _seen:
            _seen.add(path)
            if _is_ours(path, complain):
                _load(str(path), functools.partial(_execute, path), complain)


def _entry_points() -> Iterator[EntryPoint]:
    """Those of our groups, of all packages that are installed."""
    if not any(map(_may_name_us, sys.path)):
        return
    from importlib import metadata  # dear, and few have such a package

    found = metadata.entry_points()
    for group in _GROUPS:
        yield from found.select(group=group)


def _may_name_us(folder: str) -> bool:
    """Whether a package in a folder of the path may have entry points of ours; what cannot be read may."""
    try:
        with os.scandir(folder or ".") as entries:
            packages = [each.path for each in entries if each.name.lower().endswith(_METADATA)]
    except FileNotFoundError:
        return False
    except OSError:  # a zip file
        return True
    for package in packages:
        with contextlib.suppress(OSError), open(os.path.join(package, "entry_points.txt"), "rb") as stream:
            text = stream.read()
            if any(f"[{group}]".encode() in text for group in _GROUPS):
                return True
    return False


def _is_ours(path: Path, complain: Callable[[str], None]) -> bool:
    """Nobody else may have had a hand in what is run here."""
    if sys.platform == "win32":
        return True
    try:
        found = path.stat()
    except OSError as error:  # a link that leads nowhere
        complain(f"{path} is left out: {error.strerror}.")
        return False
    if found.st_uid in (os.getuid(), 0) and not found.st_mode & stat.S_IWOTH:
        return True
    complain(f"{path} is left out: others may write to it.")
    return False


def _execute(path: Path) -> object:
    import importlib.util

    spec = importlib.util.spec_from_file_location(f"remora_commands_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _load(where: str, load: Callable[[], object], complain: Callable[[str], None]) -> None:
    try:
        found = load()
    except (Exception, SystemExit) as error:
        complain(f"{where} is left out: {_told(error, where)}")
        return
    for each in declared_in(found):
        if each in _seen:  # a function that several entry points lead to
            continue
        _seen.add(each)
        try:
            _enter(each)
        except ValueError as error:
            line = each.function.__code__.co_firstlineno
            complain(f"{each.file}:{line}: the command {each.name} is left out: {error}")


def _enter(each: Declared) -> None:
    if each.types:
        _renderers.update(dict.fromkeys(each.types, each))
        return
    if not all(word.isidentifier() for word in (each.name, *each.aliases)):
        raise ValueError("letters, digits and _ make a command's name")

    async def run(ctx: Context, arguments: str) -> Result:
        return await _run(each, ctx, arguments)

    run.__doc__ = each.function.__doc__
    command(each.name, *each.aliases, group="own", usage=each.usage, argument="text")(run)


async def _run(each: Declared, ctx: Context, arguments: str) -> Result:
    before = ctx.session.state
    if ctx.interactive:
        ctx.session.told = before.stops  # a person sees each stop as it comes
    given = await _call(each, ctx.session, arguments)
    after = ctx.session.state
    data, text = await _shown(ctx, given)
    ran = after.stops != before.stops or (before.stop is not None and after.phase == "running")
    return Result(data, text, resumed=ran and not ctx.session.left, left=ctx.session.left)


async def _call(each: Declared, core: Session, *arguments: Any) -> Any:
    """Call it, with the session of its own kind. Raises `ClientError`; of a bug in it, with file and line."""
    try:
        if inspect.iscoroutinefunction(each.function):
            return await each.function(*_bound(core, arguments, each))
        from remora_client._scripting._loop_thread import LoopThread

        lent = LoopThread.beside(asyncio.get_running_loop())
        try:
            return await beside(each.function, *_bound(core, arguments, each, lent))
        finally:
            lent.revoke()
    except ClientError:
        raise
    except (Exception, SystemExit) as error:
        raise CommandError(_told(error, each.file)) from None


def _bound(core: Session, arguments: Any, each: Declared, lent: LoopThread | None = None) -> tuple[Any, ...]:
    """A renderer gets its value, a command its session and arguments."""
    from remora_client import aio  # most people have no commands of their own
    from remora_client._scripting import _sync

    if each.types:
        value = aio.Value.of(arguments[0], core)
        return (value,) if lent is None else (_sync.twin_of(value, lent),)
    session = aio.Session(core)
    return (session if lent is None else _sync.Session(session, lent), *arguments)


def _told(error: BaseException, file: str) -> str:
    """An error of theirs, with the line of theirs that it came from."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: SyntaxError: {error.msg}"
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file] or frames
    place = f"{own[-1].filename}:{own[-1].lineno}: " if own else ""
    kind = "" if isinstance(error, RequestFailed) else f"{type(error).__name__}: "
    return f"{place}{kind}{error}"


async def _shown(ctx: Context, given: Any) -> tuple[Any, Any]:
    """What a command returned: as data, and as text. Raises `CommandError`: it is neither."""
    if given is None:
        return None, []
    if isinstance(given, str):
        return given, [("", visible_block(given.rstrip("\n")) + "\n")]
    if isinstance(given, Value):
        return {"value": given.value, "type": given.type}, value_line(await rendered(ctx.session, given))
    from remora_client import aio
    from remora_client._scripting import _sync

    if isinstance(given, list) and given and all(isinstance(each, aio.Value | _sync.Value) for each in given):
        data = [{"name": each.name, "value": each.value, "type": each.type} for each in given]
        return data, variable_lines(given, width=ctx.width)
    import pprint

    try:
        data = json.loads(json.dumps(given, default=str))
    except (TypeError, ValueError, RecursionError) as error:
        raise CommandError(
            f"What the command returned cannot be shown: {error}.",
            "It may return a text, values of the program, or what JSON has: the keys of a dict are texts.",
        ) from None
    return data, [("", visible_block(pprint.pformat(data, width=ctx.width or 100, sort_dicts=False)) + "\n")]


async def rendered(session: Session, value: Value) -> str:
    """The text of a value: a renderer's of its type, where there is one, else as the program gave it."""
    text = await own_text(session, value)
    return value.value if text is None else text


def _renderer_of(type_name: str) -> Declared | None:
    return _renderers.get(type_name) or _renderers.get(type_name.rpartition(".")[2])


class _OwnRenderers:
    """The renderers for who shows values elsewhere than at the prompt."""

    def knows(self, type_name: str) -> bool:
        return _renderer_of(type_name) is not None

    async def text(self, session: Session, value: Value) -> str | None:
        return await own_text(session, value)


own_renderers = _OwnRenderers()


async def own_text(session: Session, value: Value) -> str | None:
    """What a renderer makes of a value; None where there is none for its type, or it has nothing to say."""
    each = _renderer_of(value.type)
    if each is None:
        return None
    trouble = f"The renderer of {visible(value.type)}"
    try:
        async with asyncio.timeout(_SECONDS):
            text = await _call(each, session, value)
    except TimeoutError:
        for name in each.types:
            _renderers.pop(name, None)
        place = f"{each.file}:{each.function.__code__.co_firstlineno}"
        session.note(f"{trouble} gave no text within {_SECONDS:g} s and is left out from now on: {place}")
        return None
    except ClientError as error:
        session.note(f"{trouble} failed: {visible(error.text)}")
        return None
    return None if text is None else str(text)
