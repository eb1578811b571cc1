"""Frames, scopes, variables, evaluating and assigning, in DAP's terms. Runs on the event loop.

A variable here is a frame and an expression: the server keeps no values for us. So what has children is what
an expression without side effects gives; the result of a call is shown and not looked into, since looking
would call again.
"""

from __future__ import annotations

import ast
import itertools
import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remora_client._literal import read_literal
from remora_client._ptvsd._sources import is_library, literal, source_path
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from remora_client._ptvsd._debuggee import Debuggee
    from remora_client._ptvsd._records import Child, RemoteFrame, RemoteObject

__all__ = ["Values"]

_NAME = re.compile(r"[^\W\d]\w*\Z")
_PATH_TAIL = re.compile(r"(?:(?P<of>[\w.\[\]'\"]+)\.)?(?P<start>\w*)\Z")
_HIDDEN = re.compile(r"__exception_info(?:_\d+)?\Z|__\w+__\Z")
_SLICED = frozenset({"list", "tuple"})
_SAFE = (
    ast.Expression,
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Constant,
    ast.Slice,
    ast.UnaryOp,
    ast.USub,
    ast.Load,
)
# No comprehension outside of a lambda: on Python 2 its variable would become one of the frame's.
_LOCAL_NAMES = "'\\n'.join(map(str, locals()))"
_COMPLETIONS = "'\\n'.join(sorted(set(map(str, dir({of})))))"
_VISIBLE_NAMES = (
    "'\\n'.join(sorted(set(map(str, list(locals()) + list(globals()) + dir(__import__({builtins}))))))"
)


@dataclass(frozen=True)
class _Place:
    """A frame of a thread; `index` 0 is the newest."""

    thread: int
    index: int


@dataclass(frozen=True)
class _Group:
    """What a variablesReference stands for: a frame's variables of one kind, or the children of a value."""

    place: _Place
    kind: str  # "arguments", "locals", "globals" or "value"
    expression: str = ""
    type: str = ""
    length: int = 0


class Values:
    """What can be looked at during one stop; `forget` ends it."""

    def __init__(self, debuggee: Debuggee) -> None:
        self._debuggee = debuggee
        self._numbers = itertools.count(1)
        self._places: dict[int, _Place] = {}
        self._frame_ids: dict[_Place, int] = {}
        self._groups: dict[int, _Group] = {}
        self._local_names: dict[_Place, frozenset[str]] = {}
        self._children: dict[_Group, Sequence[Child]] = {}

    def forget(self) -> None:
        """The program runs: all numbers become void."""
        self._places.clear()
        self._frame_ids.clear()
        self._groups.clear()
        self._changed()

    def _changed(self) -> None:
        """Something was assigned: what was read before may be different now."""
        self._local_names.clear()
        self._children.clear()

    # -- frames

    def frames(self, thread: int, frames: Sequence[RemoteFrame]) -> list[dict[str, Any]]:
        """DAP's StackFrames."""
        return [self._frame(_Place(thread, index), frame) for index, frame in enumerate(frames)]

    def _frame(self, place: _Place, frame: RemoteFrame) -> dict[str, Any]:
        if place not in self._frame_ids:
            self._frame_ids[place] = next(self._numbers)
            self._places[self._frame_ids[place]] = place
        path = source_path(frame.file)
        body: dict[str, Any] = {
            "id": self._frame_ids[place],
            "name": frame.name,
            "line": frame.line,
            "column": 1,
            "source": {"name": path.replace("\\", "/").rpartition("/")[2], "path": path},
        }
        if is_library(path):
            body["presentationHint"] = "subtle"
        return body

    def _place(self, frame_id: Any) -> _Place:
        place = self._places.get(frame_id)
        if place is None:
            raise RequestFailed("not-found", "That frame is gone: the program has run since.")
        return place

    def remote_frame(self, place: _Place) -> RemoteFrame:
        """The frame as it was told last."""
        record = self._debuggee.threads.get(place.thread)
        if record is None or place.index >= len(record.frames):
            raise RequestFailed("not-found", "That frame is gone.")
        return record.frames[place.index]

    # -- scopes and variables

    async def scopes(self, frame_id: Any) -> list[dict[str, Any]]:
        """DAP's Scopes of a frame."""
        place = self._place(frame_id)
        frame = self.remote_frame(place)
        scopes = []
        if frame.argument_count:
            scopes.append(self._scope("Arguments", "arguments", place))
        scopes.append(self._scope("Locals", "locals", place))
        scopes.append({**self._scope("Globals", "globals", place), "expensive": True})
        return scopes

    def _scope(self, name: str, kind: str, place: _Place) -> dict[str, Any]:
        reference = self._reference(_Group(place, kind, expression="globals()" if kind == "globals" else ""))
        return {"name": name, "presentationHint": kind, "variablesReference": reference, "expensive": False}

    def _reference(self, group: _Group) -> int:
        number = next(self._numbers)
        self._groups[number] = group
        return number

    async def variables(self, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        """DAP's Variables of a scope or a value, or a page of them."""
        group = self._groups.get(arguments.get("variablesReference", 0))
        if group is None:
            raise RequestFailed("not-found", "That value is gone: the program has run since.")
        start, count = _number(arguments, "start"), _number(arguments, "count")
        if group.kind in ("arguments", "locals"):
            found: Iterable[dict[str, Any]] = await self._of_frame(group)
        elif group.kind == "globals":
            found = await self._globals(group)
        else:
            if arguments.get("filter") == "indexed" and group.type in _SLICED:
                return await self._slice(group, start, count or group.length)
            if count and group.type in _SLICED and not arguments.get("filter"):
                return await self._slice(group, start, count)
            found = await self._of_value(group, arguments.get("filter"))
        page = list(found)[start:]
        return page[:count] if count else page

    async def _of_frame(self, group: _Group) -> list[dict[str, Any]]:
        frame = self.remote_frame(group.place)
        arguments = frame.variables[: frame.argument_count]
        if group.kind == "arguments":
            chosen = list(arguments)
        else:
            names = await self._names_of_locals(group.place)
            rest = frame.variables[frame.argument_count :]
            chosen = [each for each in rest if names is None or each[0] in names]
        return [
            self._variable(group.place, name, name if _NAME.match(name) else None, value)
            for name, value in chosen
            if not _HIDDEN.match(name) and not _is_unset(value)
        ]

    async def _names_of_locals(self, place: _Place) -> frozenset[str] | None:
        """Which of a frame's variables are its own: the server mixes in globals that it mentions."""
        if place not in self._local_names:
            try:
                value = await self._debuggee.evaluate(_LOCAL_NAMES, place.thread, place.index, raw=True)
            except RequestFailed:
                return None  # in C code: all are shown
            self._local_names[place] = frozenset((value.text or "").split("\n"))
        return self._local_names[place]

    async def _globals(self, group: _Group) -> list[dict[str, Any]]:
        found = []
        for each in await self._get_children(group):
            name = _key(each.name)
            if name is not None and not _HIDDEN.match(name):
                found.append(self._variable(group.place, name, each.expression, each.value))
        return sorted(found, key=lambda each: str(each["name"]))

    async def _get_children(self, group: _Group) -> Sequence[Child]:
        if group not in self._children:
            self._children[group] = await self._debuggee.children(
                group.expression, group.place.thread, group.place.index
            )
        return self._children[group]

    async def _of_value(self, group: _Group, wanted: Any) -> list[dict[str, Any]]:
        found = []
        for each in await self._get_children(group):
            indexed = each.name.startswith("[")
            if wanted not in ("indexed", "named") or indexed == (wanted == "indexed"):
                found.append(self._variable(group.place, each.name, each.expression, each.value))
        return found

    async def _slice(self, group: _Group, start: int, count: int) -> list[dict[str, Any]]:
        """A page of a long list: the server gives 10000 children and no more."""
        part = f"({group.expression})[{start}:{start + count}]"
        children = await self._debuggee.children(part, group.place.thread, group.place.index)
        items = [each for each in children if each.name.startswith("[")]
        return [
            self._variable(group.place, f"[{index}]", f"({group.expression})[{index}]", each.value)
            for index, each in enumerate(items, start)
        ]

    def _variable(
        self, place: _Place, name: str, expression: str | None, value: RemoteObject
    ) -> dict[str, Any]:
        body = {"name": name, **self._shown(place, expression, value)}
        body["value"] = body.pop("result")
        if expression is not None:
            body["evaluateName"] = expression
        return body

    def _shown(self, place: _Place, expression: str | None, value: RemoteObject) -> dict[str, Any]:
        body: dict[str, Any] = {"result": value.text or "", "type": value.type, "variablesReference": 0}
        if value.expandable and expression is not None:
            group = _Group(place, "value", expression, value.type, value.length)
            body["variablesReference"] = self._reference(group)
            if value.type in _SLICED:
                body["indexedVariables"] = value.length
        return body

    # -- evaluating

    async def evaluate(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """DAP's evaluate."""
        text, context = str(arguments.get("expression", "")), arguments.get("context")
        if "frameId" not in arguments:
            value = await self._debuggee.evaluate_in_module(text, "__main__")
            return {"result": value.text or "", "type": value.type, "variablesReference": 0}
        place = self._place(arguments["frameId"])
        if context == "clipboard":
            return await self._in_full(place, text)
        value = await self._debuggee.evaluate(text, place.thread, place.index)
        if context == "repl":
            self._changed()
            if value.type == "NoneType" and not _is_expression(text):
                return {"result": "", "type": "", "variablesReference": 0}
        return self._shown(place, text if _is_safe(text) else None, value)

    async def _in_full(self, place: _Place, text: str) -> dict[str, Any]:
        """The whole repr, which the server cuts everywhere but in texts."""
        whole = await self._debuggee.evaluate(f"repr(({text}))", place.thread, place.index, raw=True)
        kind = ""
        if _is_safe(text):
            kind = (await self._debuggee.evaluate(text, place.thread, place.index)).type
        return {"result": whole.text or "", "type": kind, "variablesReference": 0}

    async def format(self, thread: int, expression: str) -> str:
        """`str()` of an expression in the newest frame, for a logpoint; an error in its place."""
        try:
            value = await self._debuggee.evaluate(f"'%s' % (({expression}),)", thread, 0, raw=True)
        except RequestFailed as failed:
            return f"<{failed}>"
        return value.text or ""

    # -- assigning

    async def set_variable(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """DAP's setVariable."""
        group = self._groups.get(arguments.get("variablesReference", 0))
        if group is None:
            raise RequestFailed("not-found", "That value is gone: the program has run since.")
        name, value = str(arguments.get("name", "")), str(arguments.get("value", ""))
        if group.kind in ("arguments", "locals"):
            target: str | None = name
        elif group.kind == "globals":
            target = f"globals()[{literal(name)}]"
        else:
            children = await self._get_children(group)
            target = next((each.expression for each in children if each.name == name), None)
        if target is None or not _is_safe(target, calls="globals"):
            raise RequestFailed("not-supported", f"{name} cannot be assigned to.")
        return await self._assign(group.place, target, value)

    async def set_expression(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """DAP's setExpression."""
        place = self._place(arguments.get("frameId"))
        target, value = str(arguments.get("expression", "")).strip(), str(arguments.get("value", ""))
        if _NAME.match(target):
            own = await self._names_of_locals(place)
            known = [name for name, _ in self.remote_frame(place).variables]
            if own is not None and target not in own and target in known:
                target = f"globals()[{literal(target)}]"
        return await self._assign(place, target, value)

    async def _assign(self, place: _Place, target: str, value: str) -> dict[str, Any]:
        await self._debuggee.evaluate(f"{target} = ({value})", place.thread, place.index)
        self._changed()
        now = await self._debuggee.evaluate(target, place.thread, place.index)
        body = self._shown(place, target, now)
        body["value"] = body.pop("result")
        return body

    # -- completing

    async def completions(self, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        """DAP's completions, from what `dir` gives."""
        place = self._place(arguments.get("frameId"))
        text = str(arguments.get("text", ""))[: max(_number(arguments, "column") - 1, 0)]
        match = _PATH_TAIL.search(text)
        of, start = (match["of"] or "", match["start"]) if match else ("", "")
        if of and not _is_safe(of):
            return []
        builtins = await self._builtins(place) if not of else ""
        ask = _COMPLETIONS.format(of=of) if of else _VISIBLE_NAMES.format(builtins=literal(builtins))
        value = await self._debuggee.evaluate(ask, place.thread, place.index, raw=True)
        names = [*(value.text or "").split("\n"), *([] if of else keyword.kwlist)]
        wanted = sorted({name for name in names if name.startswith(start)})
        hidden = [name for name in wanted if name.startswith("_")]
        shown = hidden if start.startswith("_") else [name for name in wanted if name not in hidden]
        at = len(text) - len(start)
        return [{"label": name, "text": name, "start": at, "length": len(start)} for name in shown]

    async def _builtins(self, place: _Place) -> str:
        value = await self._debuggee.evaluate("len.__module__", place.thread, place.index, raw=True)
        return value.text or "builtins"


def _number(arguments: dict[str, Any], key: str) -> int:
    value = arguments.get(key)
    return value if isinstance(value, int) and value > 0 else 0


def _is_unset(value: RemoteObject) -> bool:
    """A local variable that nothing was assigned to yet."""
    return value.text == "<undefined>" and value.type in ("", "unknown")


def _key(name: str) -> str | None:
    """The name in "['name']", as children of a dictionary are called."""
    try:
        value = read_literal(name[1:-1])
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _is_safe(text: str, calls: str = "") -> bool:
    """Whether evaluating it twice does no more than once: names, attributes, items; `calls` may be called."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == calls:
            continue
        if not isinstance(node, _SAFE):
            return False
    return True
