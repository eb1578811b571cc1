"""Completion on live objects, without running any of their code."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from remora._handlers._imports import Imported, imported
from remora._handlers._installed import find_installed
from remora._handlers._jobs import on_thread
from remora._handlers._table import Deferred, handles
from remora._inspection._statics import attribute_names, is_a, parameters, stored

if TYPE_CHECKING:
    from types import FrameType

    from remora._handlers._arguments import Arguments
    from remora._sessions._session import Session

__all__ = ["completions"]

_MOST = 500
_MOST_KEYS = 200_000  # of a dictionary that are looked through: some 10 ms
# The name being typed, and what stands before its dot or bracket: names, dots and simple subscripts.
_CHAIN = r"(?:[^\W\d]\w*)(?:\.[^\W\d]\w*|\[(?:\d+|'[^'\]]*'|\"[^\"\]]*\")\])*"
_ATTRIBUTE = re.compile(rf"({_CHAIN})\.(\w*)\Z")
_KEY = re.compile(rf"({_CHAIN})\[(['\"]?)([^\]\['\"]*)\Z")
#: The innermost call that is still open: what is called, and its arguments so far without nested brackets.
_CALL = re.compile(rf"({_CHAIN})\(([^()\[\]{{}}]*)\Z")
_NAME = re.compile(r"(?<![\w.])([^\W\d]\w*)?\Z")


@handles("completions", capability="supportsCompletionsRequest")
def completions(session: Session, arguments: Arguments) -> dict[str, Any] | Deferred:
    """Names, attributes or keys that the text before the cursor can go on with."""
    text, column = arguments.text("text"), arguments.number("column")
    line = arguments.number("line", 1)
    lines = text.split("\n")
    before = (lines[line - 1] if 0 < line <= len(lines) else text)[: max(column - 1, 0)]
    number = arguments.optional_number("frameId")
    debugger = session.server.debugger
    stopped = [info.id for info in debugger.threads() if debugger.stop_info(info.id) is not None]
    if number is None and not stopped:
        return {"targets": []}
    frame = debugger.frame(number) if number is not None else debugger.frames(stopped[0])[0]

    imports = imported(before)
    if imports is not None:
        return _modules(session, imports)

    def work() -> list[dict[str, Any]]:
        return complete(before, frame.frame)

    return on_thread(session, frame.thread_id, work, lambda found: {"targets": found}, timeout=2)


def _modules(session: Session, imports: Imported) -> Deferred:
    """The modules and names that an import can go on with."""
    server, deferred = session.server, Deferred()

    def answer(installed: set[str]) -> None:
        names = {**dict.fromkeys(installed, sys), **imports.known}
        deferred.resolve({"targets": _fitting(names, imports.typed)})

    find_installed(imports.package, server.loop, server.debugger.own_threads, answer)
    return deferred


def complete(before: str, frame: FrameType) -> list[dict[str, Any]]:
    """What fits the end of this text."""
    key = _KEY.search(before)
    if key is not None:
        return _keys(_resolve(key[1], frame), key[2], key[3])
    attribute = _ATTRIBUTE.search(before)
    if attribute is not None:
        holder = _resolve(attribute[1], frame)
        return [] if holder is _UNKNOWN else _fitting(dict(attribute_names(holder)), attribute[2])
    name = _NAME.search(before)
    if name is None:
        return []
    names = {**vars(builtins), **frame.f_globals, **frame.f_locals}
    return _keywords(before, frame) + _fitting(names, name[1] or "")


def _keywords(before: str, frame: FrameType) -> list[dict[str, Any]]:
    """The keyword arguments that an open call may still be given: `f(x, na` -> `name=`."""
    call = _CALL.search(before)
    if call is None or re.search(r"=[^,]*\Z", call[2]):
        return []
    typed = re.split(r"[,\s]", call[2])[-1]
    given = set(re.findall(r"(\w+)\s*=", call[2]))
    holder = _resolve(call[1], frame)
    names = [] if holder is _UNKNOWN else parameters(holder)
    return [
        {"label": f"{name}=", "text": f"{name}=", "length": len(typed), "type": "property"}
        for name in names
        if name.startswith(typed) and name not in given
    ]


_UNKNOWN = object()


def _resolve(chain: str, frame: FrameType) -> Any:
    """The object that a chain of names leads to, as far as that takes no code to find out."""
    try:
        return _walk(ast.parse(chain, mode="eval").body, frame)
    except (LookupError, SyntaxError, ValueError, TypeError):
        return _UNKNOWN


def _walk(node: ast.expr, frame: FrameType) -> Any:
    if isinstance(node, ast.Name):
        for names in (frame.f_locals, frame.f_globals, vars(builtins)):
            if node.id in names:
                return names[node.id]
        raise LookupError(node.id)
    if isinstance(node, ast.Attribute):
        return stored(_walk(node.value, frame), node.attr)
    if isinstance(node, ast.Subscript):
        holder = _walk(node.value, frame)
        index = node.slice.value if type(node.slice).__name__ == "Index" else node.slice  # type: ignore[attr-defined]
        key = ast.literal_eval(index)
        if type(holder) in (list, tuple, dict):
            return holder[key]
    raise LookupError("code would have to run")


def _keys(holder: Any, quote: str, typed: str) -> list[dict[str, Any]]:
    if holder is _UNKNOWN or not is_a(holder, dict):
        return []
    keys = list(islice(dict.keys(holder), _MOST_KEYS))
    if quote:
        fitting = [key for key in keys if type(key) is str and key.startswith(typed)]
    else:
        fitting = [key for key in keys if type(key) in (str, int) and repr(key).startswith(typed)]
    return [_key(key, quote, typed) for key in fitting[:_MOST]]


def _key(key: str | int, quote: str, typed: str) -> dict[str, Any]:
    text = repr(key)
    if quote and type(key) is str:
        text = key.replace("\\", r"\\").replace(quote, f"\\{quote}")
    return {"label": repr(key), "text": text, "length": len(typed), "type": "value"}


def _fitting(names: dict[str, Any], typed: str) -> list[dict[str, Any]]:
    fitting = [name for name in names if type(name) is str and name.startswith(typed) and name.isidentifier()]
    if not typed.startswith("_"):
        fitting = [name for name in fitting if not name.startswith("_")]
    fitting.sort(key=lambda name: (name.startswith("_"), name.lower()))
    return [{"label": name, "length": len(typed), "type": _type(names[name])} for name in fitting[:_MOST]]


def _type(value: Any) -> str:
    if is_a(value, type):
        return "class"
    kind = type(value).__name__
    if kind in (
        "function",
        "builtin_function_or_method",
        "method",
        "method_descriptor",
        "staticmethod",
        "classmethod",
    ):
        return "function"
    return {"module": "module", "property": "property"}.get(kind, "variable")
