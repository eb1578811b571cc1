"""Finds what of the program's code is alive: its functions, and the frames that run or wait.

The garbage collector of CPython does not know code objects, so they are found through what holds them. Called
by the server's thread while the program's threads run.
"""

from __future__ import annotations

import gc
import sys
from inspect import CO_OPTIMIZED
from itertools import chain, compress
from types import AsyncGeneratorType, CodeType, CoroutineType, FunctionType, GeneratorType
from typing import TYPE_CHECKING, Any

from remora._interpreter import _frames

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from types import FrameType

__all__ = [
    "EVERYWHERE",
    "functions_and_suspended_frames",
    "functions_in",
    "known_functions",
    "running_frames",
]

_SUSPENDABLE = {GeneratorType: "gi_frame", CoroutineType: "cr_frame", AsyncGeneratorType: "ag_frame"}
_WANTED = frozenset(map(id, (FunctionType, *_SUSPENDABLE)))


class _AnyName:
    """Contains every file name."""

    def __contains__(self, name: object) -> bool:
        return True


EVERYWHERE: Container[str] = _AnyName()


def running_frames() -> Iterator[FrameType]:
    """Every frame on the stack of a thread, newest first within each."""
    for newest in _frames.current_frames().values():
        frame: FrameType | None = newest
        while frame is not None:
            yield frame
            frame = frame.f_back


def functions_and_suspended_frames(filenames: Container[str]) -> tuple[list[FunctionType], list[FrameType]]:
    """The functions, and the frames of generators and coroutines, whose code is from one of these files."""
    found = _tracked()
    if gc.get_freeze_count():
        found += _reachable()
    functions = []
    frames = []
    for one in found:
        if type(one) is FunctionType:
            if one.__code__.co_filename in filenames:
                functions.append(one)
        else:
            frame = getattr(one, _SUSPENDABLE[type(one)])
            if frame is not None and frame.f_code.co_filename in filenames:
                frames.append(frame)
    return functions, frames


def known_functions() -> Iterator[tuple[CodeType, str, object]]:
    """Every function that exists or that code which is alive may make: code, qualified name, module."""
    for function in functions_and_suspended_frames(EVERYWHERE)[0]:
        yield function.__code__, function.__qualname__, function.__module__
        yield from functions_in(function.__code__, function.__qualname__, function.__module__)
    for frame in running_frames():
        if not frame.f_code.co_flags & CO_OPTIMIZED:  # a module, or the body of a class
            prefix = frame.f_globals.get("__name__")
            yield from functions_in(frame.f_code, _name(frame.f_code, ""), prefix)


def functions_in(code: CodeType, name: str, module: object) -> Iterator[tuple[CodeType, str, object]]:
    """The functions that this code makes, and those that they make."""
    prefix = f"{name}.<locals>." if code.co_flags & CO_OPTIMIZED else f"{name}." if name else ""
    for child in code.co_consts:
        if type(child) is CodeType:
            child_name = _name(child, prefix)
            if child.co_flags & CO_OPTIMIZED:
                yield child, child_name, module
            yield from functions_in(child, child_name, module)


def _name(code: CodeType, prefix: str) -> str:
    name: str = getattr(code, "co_qualname", prefix + code.co_name)  # since 3.11
    return "" if name == "<module>" else name


def _tracked() -> list[Any]:
    """What the collector tracks of the wanted types.

    The program may be about to fill and resize a tuple, which fails while somebody else has hold of it. So no
    other thread may run as long as we have the list of all objects: it is made, searched and emptied within
    one call of C code, which runs no bytecode and no object's methods. (Hence types by their ids: a metaclass
    can have an `__eq__` and a `__hash__`.)
    """
    everything: list[Any] = []
    fill = map(everything.extend, map(gc.get_objects, (None,)))
    wanted = compress(everything, map(_WANTED.__contains__, map(id, map(type, everything))))
    empty = map(list.clear, (everything,))
    return [one for one in list(chain(fill, wanted, empty)) if one is not None]


def _reachable() -> list[Any]:
    """The same by following references, much slower. For programs that hide objects by `gc.freeze`."""
    found = []
    seen: dict[int, Any] = {}
    frames = list(running_frames())
    # 3.11 does not show what the frames on the stack refer to.
    pending: list[Any] = [sys.modules, *frames, *(frame.f_locals for frame in frames)]
    while pending:
        new = {id(one): one for one in gc.get_referents(*pending) if id(one) not in seen}
        seen.update(new)
        pending = [one for one in new.values() if gc.is_tracked(one)]
        found += [one for one in pending if id(type(one)) in _WANTED]
    return found
