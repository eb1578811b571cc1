"""Breakpoints on functions by dotted name: finding the code that a name means, now or when it first runs.

Looks into `__dict__`s only, so that no property, `__getattr__` or lazy import of the program runs. Under
the debugger's lock, on the server's thread or on a program thread that starts code which nobody has seen
before.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from remora._stopping._breakpoints import Breakpoint, FunctionBreakpoint, Point
from remora._stopping._conditions import BadExpression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence, Set

    from remora._engine import Engine

__all__ = ["FunctionTable"]

_MOST_VERSIONS = 100


@dataclass
class _Asked:
    number: int
    spec: FunctionBreakpoint
    point: Point | None
    refusal: str = ""
    codes: list[CodeType] = field(default_factory=list)
    homes: set[tuple[str, object]] = field(default_factory=set)  # qualified names and modules of these
    versions: list[CodeType] = field(default_factory=list)  # made anew of the same functions, newest last


class FunctionTable:
    """Every function breakpoint there is."""

    def __init__(
        self,
        next_number: Callable[[], int],
        engine: Engine,
        is_user: Callable[[str], bool],
        line_of_def: Callable[[CodeType], int],
    ) -> None:
        self._next_number = next_number
        self._engine = engine
        self._is_user = is_user
        self._line_of_def = line_of_def
        self._asked: list[_Asked] = []

    def set(self, specs: Sequence[FunctionBreakpoint]) -> list[Breakpoint]:
        """Replace them all. An unchanged one keeps its number and its count of hits."""
        known = {asked.spec: asked for asked in self._asked}
        self._asked = [known.get(spec) or self._ask(spec) for spec in specs]
        return [self._describe(asked) for asked in self._asked]

    def meet(self, code: CodeType, name: str, module: object) -> list[Breakpoint]:
        """A function is new, or made anew: a cell was run again. The breakpoints that are now bound to it."""
        names = self._names(code, name, module)
        bound = []
        for asked in self._asked:
            if asked.point is None or asked.spec.name not in names:
                continue
            if any(code is known for known in [*asked.codes, *asked.versions]):
                continue
            if not asked.codes:
                asked.codes.append(code)
                asked.homes.add((name, module))
            elif (name, module) in asked.homes:
                asked.versions.append(code)
                del asked.versions[:-_MOST_VERSIONS]
            else:
                continue
            bound.append(self._describe(asked))
        return bound

    def _names(self, code: CodeType, name: str, module: object) -> Set[str]:
        """By which names this function may be asked for. Not by its last one alone, if it is a library's."""
        names: Set[str] = {name, name.replace(".<locals>", "")}
        if self._is_user(code.co_filename):
            names |= {code.co_name}
        if code.co_name == "__init__":
            names |= {each[: -len(".__init__")] for each in names if each.endswith(".__init__")}
        return names | {f"{module}.{each}" for each in names}

    def entries(self) -> list[tuple[CodeType, list[Point]]]:
        """The code objects whose starts are breakpoints, and which."""
        return self._watched(lambda spec: spec.at == "call")

    def exits(self) -> list[tuple[CodeType, list[Point]]]:
        """The code objects whose returns or yields are breakpoints, and which."""
        return self._watched(lambda spec: spec.at != "call")

    def _watched(self, is_wanted: Callable[[FunctionBreakpoint], bool]) -> list[tuple[CodeType, list[Point]]]:
        # By identity: code objects that look alike are equal, and their hash costs as much as they are long.
        entries: dict[int, tuple[CodeType, list[Point]]] = {}
        for asked in self._asked:
            if asked.point is not None and is_wanted(asked.spec):
                for code in [*asked.codes, *asked.versions]:
                    entries.setdefault(id(code), (code, []))[1].append(asked.point)
        return list(entries.values())

    def wants_code(self) -> bool:
        """Whether code that is not known yet could matter."""
        return any(asked.point is not None for asked in self._asked)

    def has(self, point: Point) -> bool:
        """Whether this breakpoint is still set."""
        return any(asked.point is point for asked in self._asked)

    def remove(self, point: Point) -> Breakpoint | None:
        """A temporary breakpoint has been hit."""
        for asked in self._asked:
            if asked.point is point:
                self._asked.remove(asked)
                return self._describe(asked)
        return None

    def clear(self) -> None:
        """No breakpoint is left."""
        self._asked = []

    def _ask(self, spec: FunctionBreakpoint) -> _Asked:
        number = self._next_number()
        try:
            asked = _Asked(number, spec, Point(number, spec))
        except BadExpression as error:
            return _Asked(number, spec, None, f"Not set: {error}")
        found = list(_find(spec.name))
        known = [one for each in found for one in _functions_of(each)]
        if not found:
            known = [one for one in self._engine.known_functions() if spec.name in self._names(*one)]
        asked.homes = {(name, module) for _, name, module in known}
        codes = [self._engine.original(code) for code, _, _ in known]
        asked.codes = list({id(code): code for code in codes}.values())
        if found and not asked.codes:
            asked.point = None
            asked.refusal = f"{spec.name} is written in C, or no function: there is nothing to stop in."
        elif spec.at == "yield" and asked.codes and not any(map(_yields, asked.codes)):
            asked.point = None
            asked.refusal = f"{spec.name} yields nothing: it is no generator."
        return asked

    def _describe(self, asked: _Asked) -> Breakpoint:
        if asked.point is None:
            return Breakpoint(asked.number, False, message=asked.refusal, reason="failed")
        if not asked.codes:
            message = f"No function {asked.spec.name} is known yet."
            return Breakpoint(asked.number, False, message=message, reason="pending")
        code = [*asked.codes[:1], *asked.versions][-1]
        note = f"{len(asked.codes)} functions have this name." if len(asked.codes) > 1 else None
        return Breakpoint(asked.number, True, self._line_of_def(code), code.co_filename, note)


def _yields(code: CodeType) -> bool:
    return bool(code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR))


def _find(name: str) -> Iterator[Any]:
    """What a dotted name means: from the longest prefix that is a module; else in any module's top level."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:length]))
        if isinstance(module, ModuleType):
            found = _descend(vars(module), parts[length:])
            if found is not None:
                yield found
            return
    for module_name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and not module_name.startswith(("remora.", "remora_protocol")):
            names = vars(module)
            found = _descend(names, parts)
            if found is not None and _belongs(found, names.get("__name__")):
                yield found


def _belongs(found: Any, module_name: Any) -> bool:
    """Whether a module made this, rather than imported it."""
    return bool(getattr(_unwrap(found), "__module__", module_name) == module_name)


def _descend(names: Any, parts: list[str]) -> Any:
    """Follow attribute names through modules and classes, by their dictionaries."""
    found: Any = None
    for place, part in enumerate(parts):
        if part not in names:
            return None
        found = names[part]
        if place + 1 < len(parts):
            if isinstance(found, type):
                names = {key: value for base in reversed(found.__mro__) for key, value in vars(base).items()}
            elif isinstance(found, ModuleType):
                names = vars(found)
            else:
                return None
    return found


def _unwrap(found: Any) -> Any:
    """Past decorators that say what they wrap."""
    for _ in range(100):
        if isinstance(found, (staticmethod, classmethod)):
            found = found.__func__
        elif isinstance(found, FunctionType) and "__wrapped__" in vars(found):
            found = vars(found)["__wrapped__"]
        else:
            break
    return found


def _functions_of(found: Any) -> Iterator[tuple[CodeType, str, object]]:
    """The code, qualified name and module of what can be stopped in."""
    if isinstance(found, property):
        for accessor in (found.fget, found.fset, found.fdel):
            yield from _functions_of(accessor)
        return
    found = _unwrap(found)
    if isinstance(found, type):
        found = vars(found).get("__init__")
    if isinstance(found, FunctionType):
        yield found.__code__, found.__qualname__, found.__module__
    elif not isinstance(found, BuiltinFunctionType):
        code = vars(found).get("__code__") if hasattr(found, "__dict__") else None
        if isinstance(code, CodeType):
            yield code, code.co_name, None
