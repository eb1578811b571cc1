"""Scopes, what is in them, and assigning to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remora._control._evaluate import evaluate
from remora._handlers._jobs import on_thread
from remora._handlers._references import Held
from remora._handlers._summary import Summary, summarize, variable
from remora._handlers._table import Deferred, handles
from remora._inspection._children import BLOCK, Child, Children, Group, Lazy, Names, Rest, children_of
from remora._inspection._values import SHORT, Renderer
from remora._interpreter import _frames
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._interpreter._frames import Frame
    from remora._sessions._session import Session

__all__ = ["scopes", "variables"]

#: Up to so many items are listed at once for a client that does not page.
_WHOLE = 300
_MOST = 100_000
_PATIENCE = 1.5


@dataclass(frozen=True)
class Scope:
    """One scope of a frame; its names are read when it is opened, on the thread that owns them."""

    kind: str
    frame: Frame
    returned: Any = None

    def names(self) -> Names:
        """What is in it now."""
        frame = self.frame.frame
        code = frame.f_code
        if self.kind == "Return value":
            found = {f"({self.returned.name}) returned": self.returned.value}
            return Names(found, self._replace_returned if self.returned.can_change else None)
        if self.kind == "Globals":
            found = {name: value for name, value in list(frame.f_globals.items()) if name != "__builtins__"}
            return Names(found, frame.f_globals.__setitem__)
        visible = dict(frame.f_locals)
        if self.kind == "Arguments":
            count = (
                code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
            )
            wanted = code.co_varnames[:count]
            visible = {name: visible[name] for name in wanted if name in visible}
        elif self.kind == "Closure":
            visible = {name: visible[name] for name in code.co_freevars if name in visible}
        else:
            free = set(code.co_freevars)
            visible = {name: value for name, value in visible.items() if name not in free}
        return Names(visible, self._assign)

    def _replace_returned(self, name: str, value: Any) -> None:
        self.returned.value = value

    def _assign(self, name: str, value: Any) -> None:
        frame = self.frame.frame
        if frame.f_locals is frame.f_globals or not frame.f_code.co_flags & 1:
            frame.f_locals[name] = value
        else:
            _frames.set_local(frame, name, value)


@handles("scopes", looks_only=True)
def scopes(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The scopes of a frame: what it returned or was passed, its own names, those around it, the globals."""
    frame = session.server.debugger.frame(arguments.number("frameId"))
    code = frame.code
    stop = session.server.debugger.stop_info(frame.thread_id)
    found = []
    is_module = frame.frame.f_locals is frame.frame.f_globals
    found.append(("Locals", "locals", False))
    if code.co_argcount + code.co_kwonlyargcount or code.co_flags & 12:
        found.append(("Arguments", "arguments", False))
    if code.co_freevars:
        found.append(("Closure", "locals", False))
    if not is_module:
        found.append(("Globals", "globals", True))
    shown = [_describe_scope(session, Scope(name, frame), hint, costly) for name, hint, costly in found]
    returned = stop.last_returned if stop is not None and session.shows_returned else None
    if returned is not None and _is_newest(session, frame):
        scope = Scope("Return value", frame, returned)
        shown.append(_describe_scope(session, scope, "returnValue", False))
    return {"scopes": shown}


def _is_newest(session: Session, frame: Frame) -> bool:
    return session.server.debugger.frames(frame.thread_id)[0].id == frame.id


def _describe_scope(session: Session, scope: Scope, hint: str, expensive: bool) -> dict[str, Any]:
    expression = None if scope.kind == "Return value" else ""
    reference = session.references.add(Held(scope, scope.frame, expression))
    return {
        "name": scope.kind,
        "presentationHint": hint,
        "variablesReference": reference,
        "expensive": expensive,
    }


@handles("variables", looks_only=True)
def variables(session: Session, arguments: Arguments) -> dict[str, Any] | Deferred:
    """What is inside a scope or a value: all of it, or a page."""
    held = session.references.get(arguments.number("variablesReference"))
    page = _Page(arguments.text("filter", ""), arguments.number("start", 0), arguments.number("count", 0))
    as_hex = arguments.child("format").flag("hex")

    def list_them(user_code: bool) -> list[tuple[Child, Summary]]:
        renderer = Renderer(SHORT, user_code=user_code)
        children = _open(held.value, user_code)
        if session.presentation is not None and type(held.value) is not Group:
            children = session.presentation.arrange(children)
        return [
            (child, summarize(child.value, renderer, as_hex=as_hex))
            for child in page.of(children, held.value)
        ]

    def build(found: list[tuple[Child, Summary]]) -> dict[str, Any]:
        return {"variables": [variable(child, summary, held, session.references) for child, summary in found]}

    thread = held.frame.thread_id
    stop = session.server.debugger.stop_info(thread)
    if session.may_run_code and stop is not None and stop.frame is not None:
        return on_thread(
            session,
            thread,
            lambda: list_them(True),
            build,
            timeout=_PATIENCE,
            instead=lambda: list_them(False),
        )
    if type(held.value) is Lazy:
        raise RequestFailed("not-supported", f"This {held.value.kind} would run the program's code.")
    return build(list_them(False))


def _open(value: Any, user_code: bool = True) -> Children:
    return children_of(value.names() if type(value) is Scope else value, user_code=user_code)


@dataclass(frozen=True)
class _Page:
    """Which of the children are wanted."""

    filter: str
    start: int
    count: int

    def of(self, children: Children, value: Any) -> list[Child]:
        start, count = max(self.start, 0), max(self.count, 0)
        if self.filter == "named":
            return list(children.named)[start : start + count if count else None]
        if self.filter == "indexed":
            return self._items(children, value, start, count)
        named = list(children.named)
        if not count:
            return named[start:] + self._items(children, value, max(start - len(named), 0), 0)
        found = named[start : start + count]
        left = count - len(found)
        return found + (self._items(children, value, max(start - len(named), 0), left) if left else [])

    def _items(self, children: Children, value: Any, start: int, count: int) -> list[Child]:
        left = max(children.indexed - start, 0)
        if count:
            return children.page(start, min(count, left, _MOST)) if left else []
        if left <= _WHOLE:
            return children.page(start, left) if left else []
        inner, offset = (value.value, value.start) if type(value) is Rest else (value, 0)
        rest = Child("…", Rest(inner, offset + start + BLOCK), None, {"kind": "virtual"})
        return [*children.page(start, BLOCK), rest]


@handles("setVariable", capability="supportsSetVariable")
def set_variable(session: Session, arguments: Arguments) -> Deferred:
    """Assign to one of the things that `variables` listed."""
    held = session.references.get(arguments.number("variablesReference"))
    name = arguments.text("name")
    text = arguments.text("value")

    def work() -> Summary:
        child = _find(_open(held.value), name)
        if child.assign is None:
            raise RequestFailed("not-supported", f"{name} cannot be assigned to.")
        value = evaluate(text, held.frame.frame, statements=False).value
        child.assign(value)
        return summarize(value, Renderer(SHORT))

    def build(summary: Summary) -> dict[str, Any]:
        row = variable(Child(name, summary.value), summary, held, session.references)
        row.pop("name")
        return row

    return on_thread(session, held.frame.thread_id, work, build)


def _find(children: Children, name: str) -> Child:
    for child in children.named:
        if child.name == name:
            return child
    if name.startswith("[") and name.endswith("]") and name[1:-1].isdigit():
        index = int(name[1:-1])
        found = children.page(index, 1) if index < children.indexed else []
        if found and found[0].name == name:
            return found[0]
    for start in range(0, children.indexed, 1000):
        for child in children.page(start, 1000):
            if child.name == name:
                return child
    raise RequestFailed("not-found", f"There is no {name} here.")
