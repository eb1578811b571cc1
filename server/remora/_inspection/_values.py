"""Values as text: our own bounded `repr`, which says how much it left out and survives any object.

Runs on the stopped thread when the program's own `__repr__` may be called, and on the server's thread when
it may not. Containers are walked by `_containers`, so a huge, cyclic or half-built one costs no more than
what is shown of it.
"""

from __future__ import annotations

import _thread
import collections
import re
import sys
import traceback
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remora._inspection._containers import BRACKETS, CONTAINERS, MAPPINGS, container_class, length, take
from remora._inspection._renderers import calls_its_library, find_own_renderer, find_renderer
from remora._inspection._statics import (
    Known,
    class_name,
    is_a,
    lookup,
    method_owner,
    module_of,
    mro,
    own_dict,
)
from remora._interpreter._originals import monotonic
from remora._log import log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora._owner._hooks import OwnRenderer

__all__ = ["CLIPBOARD", "DETAIL", "SHORT", "Limits", "Renderer", "safe_repr", "type_name"]


@dataclass(frozen=True)
class Limits:
    """How much of a value is shown.

    Attributes:
        depth: how many containers inside each other are opened.
        items: how many items of each container.
        text: how many characters of each text, and of what the program's own `__repr__` gives.
        total: how many characters in all, roughly.
    """

    depth: int = 4
    items: int = 30
    text: int = 1000
    total: int = 4000


SHORT = Limits(depth=4, items=30, text=400, total=800)
DETAIL = Limits(depth=8, items=1000, text=16_384, total=65_536)
CLIPBOARD = Limits(depth=60, items=10_000_000, text=32_000_000, total=32_000_000)

_PLAIN = Known(int, float, complex, bool, type(None), type(Ellipsis), type(NotImplemented))
_BOUNDS = Known(range, slice)
_TEXTS = Known(str, bytes, bytearray)
_NUMBERS = Known(int, float, complex)
_CALLABLES = Known(types.FunctionType, types.BuiltinFunctionType)
_OWN_REPR = Known(
    object.__repr__, list.__repr__, tuple.__repr__, dict.__repr__, set.__repr__, frozenset.__repr__,
    collections.deque.__repr__, str.__repr__, bytes.__repr__, bytearray.__repr__, int.__repr__,
    float.__repr__, complex.__repr__,
)  # fmt: skip
#: Classes whose own `repr` calls that of nothing else. Those of files ask for a name, of weak references
#: for that of what they refer to, and so on: they are not for observers.
_QUIET = Known(
    memoryview, types.CodeType, types.FrameType, types.CellType, types.TracebackType, re.Pattern, re.Match,
    types.GetSetDescriptorType, types.MemberDescriptorType, types.MethodDescriptorType,
    types.WrapperDescriptorType, types.MethodWrapperType, _thread.LockType, _thread.RLock,
)  # fmt: skip
_HUGE_INT_BITS = 12_000
_SLOW = 0.5
"""Seconds after which it was a renderer's own fault that it was interrupted."""


def type_name(value: object) -> str:
    """The name of the value's class."""
    return class_name(type(value))


def safe_repr(value: object, *, user_code: bool) -> str:
    """The value as a short text. Never raises, whatever the object does."""
    return Renderer(user_code=user_code).render(value)


class Renderer:
    """Renders values, one after the other.

    Args:
        user_code: whether the program's own `__repr__` methods and renderers may run.
    """

    def __init__(self, limits: Limits = SHORT, *, user_code: bool = True) -> None:
        self.limits = limits
        self.user_code = user_code
        self._room = limits.total
        self._open: set[int] = set()

    def render(self, value: object) -> str:
        """The value as text."""
        self._room = self.limits.total
        self._open = set()
        try:
            return self._text(value, self.limits.depth)
        except RecursionError:
            return f"<{type_name(value)}: nested too deeply to show>"

    # -- choosing ---------------------------------------------------------------------------------

    def _text(self, value: object, depth: int) -> str:
        kind = type(value)
        text = self._by_kind(value, kind, depth)
        self._room -= len(text)
        return text

    def _by_kind(self, value: Any, kind: type, depth: int) -> str:
        if kind in _PLAIN:
            return _number(value)
        if kind in _TEXTS:
            return _cut_text(value, min(self.limits.text, max(self._room, 16)))
        if kind in _BOUNDS:
            return self._bounds(value, kind, depth)
        if kind in CONTAINERS and container_class(value) is kind:
            return self._container(value, kind, depth)
        own = find_own_renderer(kind) if self.user_code else None
        return self._by_library(value, kind, depth) if own is None else self._by_owner(value, own, depth)

    def _by_owner(self, value: object, own: OwnRenderer, depth: int) -> str:
        """As the program's own renderer says; what goes wrong in it is said behind the value."""
        text: str | None = None
        note = "is left out: it took too long"
        if not own.is_slow:
            begun = monotonic()
            try:
                text = own.render(value)
                note = "" if text is None or is_a(text, str) else f"returned no text but {type_name(text)}"
            except BaseException as error:  # as in _call_repr
                note = self._what_went_wrong(own, error, monotonic() - begun)
        if text is not None and not note:
            return self._cut(text)
        text = self._by_library(value, type(value), depth)
        return f"{text} <its renderer {note}>" if note else text

    def _what_went_wrong(self, own: OwnRenderer, error: BaseException, seconds: float) -> str:
        if not is_a(error, Exception, SystemExit, KeyboardInterrupt, GeneratorExit):
            own.is_slow = seconds > _SLOW  # else what came before it has used the time up
            self.user_code = False
            return "was interrupted, it took too long"
        if not own.has_failed:
            own.has_failed = True
            log.warning(f"a renderer of the program's failed, which is told once:\n{traceback.format_exc()}")
        return f"failed with {_short(error)}"

    def _by_library(self, value: Any, kind: type, depth: int) -> str:
        renderer = find_renderer(kind)
        if renderer is not None and (self.user_code or not calls_its_library(renderer)):
            try:
                return self._cut(renderer(value, lambda inner: self._nested(inner, value, depth)))
            except Exception:  # noqa: S110 - it is not what its name promised: show it as any other object
                pass
        if kind is types.MethodType:  # its own repr() calls that of the object
            return f"<bound method {_function_name(value.__func__)} of a {type_name(value.__self__)}>"
        if kind is types.ModuleType:
            return _cut_plain(_module(value), self.limits.text)
        if kind in _CALLABLES:
            return _cut_plain(repr(value), self.limits.text)
        if is_a(value, type):
            return f"<class '{_dotted(value)}'>"
        return self._by_repr(value, kind, depth)

    def _by_repr(self, value: Any, kind: type, depth: int) -> str:
        method = lookup(kind, "__repr__")
        if method in _OWN_REPR:
            return self._inherited(value, kind, depth)
        if is_a(value, BaseException) and method_owner(kind, "__repr__") is BaseException:
            return self._exception(value, kind, depth)
        if self.user_code or kind in _QUIET:
            return self._call_repr(value, kind)
        return _address(value, kind)

    def _bounds(self, value: Any, kind: type, depth: int) -> str:
        """A slice may be of anything."""
        shown = [value.start, value.stop, value.step]
        if kind is range and type(value.step) is int and value.step == 1:
            shown.pop()
        return f"{kind.__name__}({', '.join(self._text(each, depth - 1) for each in shown)})"

    def _inherited(self, value: Any, kind: type, depth: int) -> str:
        """A class whose `__repr__` is that of a built-in class: ours does the same, bounded."""
        bases: tuple[Any, ...] = mro(kind)
        for base in bases:
            if base in CONTAINERS and base is not collections.UserDict:
                return f"{class_name(kind)}({self._container(value, base, depth)})"
            if base in _TEXTS:
                return _cut_text(base.__getitem__(value, slice(None)), self.limits.text)
            if base in _NUMBERS:
                return _number(base.__repr__(value))
        return _address(value, kind)

    def _exception(self, value: BaseException, kind: type, depth: int) -> str:
        arguments = BaseException.__dict__["args"].__get__(value)
        inside = [self._text(each, depth - 1) for each in arguments[: self.limits.items]]
        return f"{class_name(kind)}({', '.join(inside)})"

    def _call_repr(self, value: object, kind: type) -> str:
        name = class_name(kind)
        try:
            text = repr(value)
        except RecursionError:
            return f"<{name}: its repr() recurses too deeply>"
        except BaseException as error:  # whatever it raised, SystemExit too, ends here
            if not is_a(error, Exception, SystemExit, KeyboardInterrupt, GeneratorExit):
                self.user_code = False  # it was interrupted: call no more of its kind in this round
                return f"<{name}: its repr() was interrupted, it took too long>"
            return f"<{name}: its repr() failed with {_short(error)}>"
        return self._cut(text)

    def _cut(self, text: str) -> str:
        if type(text) is not str:
            text = str.__str__(text)
        return _cut_plain(text, min(self.limits.text, max(self._room, 16)))

    # -- containers -------------------------------------------------------------------------------

    def _nested(self, value: object, parent: object, depth: int) -> str:
        if depth <= 1 and type(value) in CONTAINERS:
            return "…"
        self._open.add(id(parent))
        try:
            return self._text(value, depth - 1)
        finally:
            self._open.discard(id(parent))

    def _container(self, value: Any, kind: type, depth: int) -> str:
        opening, closing = BRACKETS[kind]
        if id(value) in self._open:
            return f"{opening}…{closing}"
        count = length(value, kind)
        if not count:
            return "set()" if kind is set else "frozenset()" if kind is frozenset else opening + closing
        if depth <= 0:
            return f"{opening}… {_count(count)} more{closing}"
        self._open.add(id(value))
        try:
            shown = list(self._items(value, kind, depth, count))
        finally:
            self._open.discard(id(value))
        if count > len(shown):
            shown.append(f"… {_count(count - len(shown))} more")
        comma = "," if kind is tuple and count == 1 else ""
        return f"{opening}{', '.join(shown)}{comma}{closing}"

    def _items(self, value: Any, kind: type, depth: int, count: int) -> Iterator[str]:
        pairs = kind in MAPPINGS
        for item in take(value, kind, 0, min(count, self.limits.items), user_code=self.user_code):
            if self._room <= 0:
                return
            if pairs:
                yield f"{self._text(item[0], depth - 1)}: {self._text(item[1], depth - 1)}"
            else:
                yield self._text(item, depth - 1)
            self._room -= 2


# -- texts ----------------------------------------------------------------------------------------


def _count(number: int) -> str:
    return f"{number:,}"


def _number(value: Any) -> str:
    if type(value) is int and value.bit_length() > _HUGE_INT_BITS:
        return (
            f"<int of {_count(value.bit_length())} bits, beginning {hex(value >> (value.bit_length() - 64))}>"
        )
    return value if type(value) is str else repr(value)


def _cut_text(value: Any, room: int) -> str:
    size = len(value)
    if size <= room:
        return repr(value)
    unit = "characters" if type(value) is str else "bytes"
    return f"{value[:room]!r} … {_count(size - room)} more {unit}"


def _cut_plain(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    return f"{text[:room]} … {_count(len(text) - room)} more characters"


def _dotted(kind: type) -> str:
    module = module_of(kind)
    name = class_name(kind)
    return name if module in ("", "builtins") else f"{module}.{name}"


def _short(error: BaseException) -> str:
    """An exception by its name and, if that takes no code of its own, its text."""
    arguments = BaseException.__dict__["args"].__get__(error)
    text = _cut_plain(arguments[0], 200) if arguments and type(arguments[0]) is str else ""
    return f"{class_name(type(error))}: {text}" if text else class_name(type(error))


def _module(value: types.ModuleType) -> str:
    """As its `repr`, which asks what made it, and those may be anything."""
    stored = own_dict(value) or {}
    name, file = stored.get("__name__"), stored.get("__file__")
    if type(name) is not str:
        return _address(value, types.ModuleType)
    where = f" from {file!r}" if type(file) is str else ""
    return f"<module {name!r}{' (built-in)' if name in sys.builtin_module_names else where}>"


def _function_name(function: object) -> str:
    name = getattr(function, "__qualname__", None) if type(function) is types.FunctionType else None
    return name if type(name) is str else type_name(function)


def _address(value: object, kind: type) -> str:
    return f"<{_dotted(kind)} object at {id(value):#x}>"
