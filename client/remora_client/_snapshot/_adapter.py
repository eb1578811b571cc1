"""DAP in front of a snapshot: what the client's core, or an editor, would say to a server. Event loop.

Everything that only looks is answered from the file. What needs a process is refused, with that reason.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from remora_client._model import records
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora_client._snapshot._file import Snapshot

__all__ = ["Adapter"]

Body: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[["Adapter", Body], Body]

_HANDLERS: dict[str, Handler] = {}
_THREAD = 1  # where a file does not say which thread stood


def handles(command: str) -> Callable[[Handler], Handler]:
    """Enter a method into the table of requests."""

    def enter(method: Handler) -> Handler:
        _HANDLERS[command] = method
        return method

    return enter


class Adapter:
    """One snapshot that is looked at."""

    def __init__(self, snapshot: Snapshot, process: Body) -> None:
        self._document, self._texts = snapshot.document, snapshot.texts
        self._process = process
        self._frames: dict[int, tuple[int, Body]] = {}  # by id: the thread and the frame
        self._references: dict[int, list[Body] | None] = {}  # None: not recorded
        self._of_frames: set[int] = set()  # those of what are scopes: their names are expressions
        self._threads = records(self._document, "threads")
        for thread in self._threads:
            for frame in records(thread, "frames"):
                self._frames[len(self._frames) + 1] = (_number(thread, "id"), frame)

    def answer(self, command: str, arguments: Body) -> Body:
        """The body of a response. Raises `RequestFailed`."""
        handler = _HANDLERS.get(command)
        if handler is None:
            raise RequestFailed(
                "not-supported",
                f"This is a snapshot: no program runs behind it that could do this ({command}).",
            )
        return handler(self, arguments)

    def events_after(self, command: str) -> list[tuple[str, Body]]:
        """What follows the answer to a request."""
        if command == "attach":
            return [("initialized", {})]
        if command == "configurationDone":
            return [("stopped", self._stopped())]
        return []

    # -- beginning and end

    @handles("remora/processes")
    def _processes(self, arguments: Body) -> Body:
        return {"processes": [self._process]}

    @handles("remora/open")
    def _open(self, arguments: Body) -> Body:
        return {}

    @handles("initialize")
    def _initialize(self, arguments: Body) -> Body:
        created = str(self._document.get("created", ""))
        limits = [f"a snapshot taken at {created}: it can be looked at, and nothing runs"]
        if self._document.get("complete") is not True:
            limits.append("not all values were recorded: there were too many, or it took too long")
        return {
            "supportsConfigurationDoneRequest": True,
            "supportsExceptionInfoRequest": isinstance(self._document.get("exception"), dict),
            "supportsLoadedSourcesRequest": True,
            "supportsModulesRequest": True,
            "supportsEvaluateForHovers": True,
            "supportsCompletionsRequest": True,
            "supportsDelayedStackTraceLoading": True,
            "supportsClipboardContext": True,
            "remora": {"requests": ["remora/tasks"], "limits": limits},
        }

    @handles("attach")
    @handles("configurationDone")
    @handles("disconnect")
    @handles("cancel")
    def _nothing(self, arguments: Body) -> Body:
        return {}

    def _stopped(self) -> Body:
        stop = self._document.get("stop")
        stop = stop if isinstance(stop, dict) else {}
        threads = [_number(each, "id") for each in self._threads]
        thread = _number(stop, "thread")
        if thread not in threads:
            thread = threads[0] if threads else _THREAD
        body: Body = {
            "reason": _text(stop, "reason") or "pause",
            "threadId": thread,
            "allThreadsStopped": True,
        }
        return body | {key: stop[key] for key in ("text", "description") if isinstance(stop.get(key), str)}

    # -- threads and stacks

    @handles("threads")
    def _list_threads(self, arguments: Body) -> Body:
        return {
            "threads": [
                {
                    "id": _number(each, "id"),
                    "name": _text(each, "name"),
                    "remora": {"state": _text(each, "state")},
                }
                for each in self._threads
            ]
        }

    @handles("stackTrace")
    def _stack_trace(self, arguments: Body) -> Body:
        thread = arguments.get("threadId")
        if thread not in [_number(each, "id") for each in self._threads]:
            raise RequestFailed("not-found", f"There is no thread {thread} in this snapshot.")
        found = [self._frame(ident, each) for ident, (of, each) in self._frames.items() if of == thread]
        start, levels = _number(arguments, "startFrame"), _number(arguments, "levels")
        page = found[start : start + levels] if levels else found[start:]
        return {"stackFrames": page, "totalFrames": len(found)}

    def _frame(self, ident: int, frame: Body) -> Body:
        body: Body = {
            "id": ident,
            "name": _text(frame, "name"),
            "line": _number(frame, "line"),
            "column": max(_number(frame, "column"), 1),
            "source": self._source(_number(frame, "source")),
        }
        if frame.get("subtle") is True:
            body["presentationHint"] = "subtle"
        return body

    @handles("exceptionInfo")
    def _exception_info(self, arguments: Body) -> Body:
        found = self._document.get("exception")
        if not isinstance(found, dict) or arguments.get("threadId") != self._stopped()["threadId"]:
            raise RequestFailed("not-stopped", "That thread did not stand at an exception.")
        return found

    @handles("remora/tasks")
    def _tasks(self, arguments: Body) -> Body:
        return {"tasks": records(self._document, "tasks")}

    # -- values

    @handles("scopes")
    def _scopes(self, arguments: Body) -> Body:
        return {
            "scopes": [
                {
                    "name": _text(scope, "name"),
                    "presentationHint": _text(scope, "hint"),
                    "variablesReference": self._refer(records(scope, "variables"), of_frame=True),
                    "expensive": False,
                }
                for scope in self._recorded_scopes(arguments.get("frameId"))
            ]
        }

    def _recorded_scopes(self, frame_id: Any) -> list[Body]:
        if frame_id not in self._frames:
            raise RequestFailed("not-found", "There is no such frame in this snapshot.")
        frame = self._frames[frame_id][1]
        scopes = list(records(frame, "scopes"))
        shared = self._document.get("globals")
        found = shared.get(str(_number(frame, "source"))) if isinstance(shared, dict) else None
        if isinstance(found, list) and not any(_text(each, "hint") == "globals" for each in scopes):
            scopes.append({"name": "Globals", "hint": "globals", "variables": found})
        return scopes

    def _refer(self, found: list[Body] | None, *, of_frame: bool = False) -> int:
        number = len(self._references) + 1
        self._references[number] = found
        if of_frame:
            self._of_frames.add(number)
        return number

    @handles("variables")
    def _variables(self, arguments: Body) -> Body:
        reference = arguments.get("variablesReference")
        if reference not in self._references:
            raise RequestFailed("not-found", "There is no such value in this snapshot.")
        found = self._references[reference]
        if found is None:
            raise RequestFailed("not-found", _NO_DEEPER)
        start, count = _number(arguments, "start"), _number(arguments, "count")
        page = found[start : start + count] if count else found[start:]
        if not page and start:
            raise RequestFailed(
                "not-found", f"The snapshot has the first {len(found)} of these, and no more."
            )
        shown = [self._value(each, "value") for each in page]
        if reference in self._of_frames:
            for each in shown:
                each.setdefault("evaluateName", each["name"])
        return {"variables": shown}

    def _value(self, value: Body, key: str) -> Body:
        """A DAP variable, or with the key "result" what `evaluate` gives."""
        body: Body = {key: _text(value, "value"), "type": _text(value, "type"), "variablesReference": 0}
        if key == "value":
            body["name"] = _text(value, "name")
            if _text(value, "expression"):
                body["evaluateName"] = _text(value, "expression")
        children = value.get("children")
        if isinstance(children, list):
            body["variablesReference"] = self._refer(records(value, "children"))
        elif value.get("opens") is True:
            body["variablesReference"] = self._refer(None)
        for name, counted in (("namedVariables", "named"), ("indexedVariables", "indexed")):
            if _number(value, counted):
                body[name] = _number(value, counted)
        return body

    @handles("evaluate")
    def _evaluate(self, arguments: Body) -> Body:
        expression = str(arguments.get("expression", "")).strip()
        try:
            tree = ast.parse(expression, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise RequestFailed("not-supported", _ONLY_NAMES) from None
        return self._value(self._find(tree, arguments.get("frameId")), "result")

    def _find(self, tree: ast.expr, frame_id: Any) -> Body:
        if isinstance(tree, ast.Name):
            for scope in self._recorded_scopes(frame_id):
                for each in records(scope, "variables"):
                    if each.get("name") == tree.id:
                        return each
            raise RequestFailed("not-found", f"No {tree.id} was recorded in this frame.")
        if not isinstance(tree, ast.Attribute | ast.Subscript):
            raise RequestFailed("not-supported", _ONLY_NAMES)
        owner = self._find(tree.value, frame_id)
        wanted = ast.dump(tree)
        for each in records(owner, "children"):
            if each.get("name") in _child_names(tree) or _dumped(_text(each, "expression")) == wanted:
                return each
        if owner.get("opens") is True:
            raise RequestFailed("not-found", _NO_DEEPER)
        text = ast.unparse(tree)
        raise RequestFailed("not-found", f"{text} was not recorded, or there is no such thing.")

    @handles("completions")
    def _completions(self, arguments: Body) -> Body:
        text = str(arguments.get("text", ""))[: max(_number(arguments, "column") - 1, 0)]
        before, dot, begun = text.rpartition(".")
        try:
            found = list(self._names(before if dot else "", arguments.get("frameId")))
        except (RequestFailed, SyntaxError, ValueError):
            found = []
        return {"targets": [{"label": name} for name in sorted({*found}) if name.startswith(begun)]}

    def _names(self, owner: str, frame_id: Any) -> Iterator[str]:
        if owner:
            children = records(self._find(ast.parse(owner, mode="eval").body, frame_id), "children")
        else:
            children = [
                each for scope in self._recorded_scopes(frame_id) for each in records(scope, "variables")
            ]
        yield from (_text(each, "name") for each in children if _text(each, "name").isidentifier())

    # -- files

    def _source(self, index: int) -> Body:
        sources = records(self._document, "sources")
        if not 0 <= index < len(sources):
            return {"name": "?"}
        each = sources[index]
        body: Body = {"name": _text(each, "name"), "path": _text(each, "path")}
        if index in self._texts:
            body["sourceReference"] = index + 1
        if _text(each, "sha256"):
            body["checksums"] = [{"algorithm": "SHA256", "checksum": _text(each, "sha256")}]
        return body

    @handles("source")
    def _text_of(self, arguments: Body) -> Body:
        source = arguments.get("source")
        source = source if isinstance(source, dict) else {}
        index = (_number(source, "sourceReference") or _number(arguments, "sourceReference")) - 1
        if index not in self._texts:
            paths = [_text(each, "path") for each in records(self._document, "sources")]
            index = paths.index(source["path"]) if source.get("path") in paths else -1
        if index not in self._texts:
            raise RequestFailed("not-found", "The snapshot has not got the text of that file.")
        return {"content": self._texts[index], "mimeType": "text/x-python"}

    @handles("loadedSources")
    def _loaded_sources(self, arguments: Body) -> Body:
        return {"sources": [self._source(index) for index in range(len(self._document["sources"]))]}

    @handles("modules")
    def _modules(self, arguments: Body) -> Body:
        rows = [
            {"id": _text(each, "path"), "name": _text(each, "name")}
            for each in records(self._document, "sources")
        ]
        return {"modules": rows, "totalModules": len(rows)}


_NO_DEEPER = "The snapshot does not go deeper than this."
_ONLY_NAMES = (
    "This is a snapshot: no program runs behind it. Names can be looked at, and what was recorded in them: "
    "order.items[0]"
)


def _child_names(tree: ast.Attribute | ast.Subscript) -> tuple[str, ...]:
    """What servers call the child that an attribute or an index is."""
    if isinstance(tree, ast.Attribute):
        return (tree.attr,)
    index = ast.unparse(tree.slice)
    return (index, f"[{index}]")


def _dumped(expression: str) -> str:
    try:
        return ast.dump(ast.parse(expression, mode="eval").body) if expression else ""
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _text(body: Body, key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""


def _number(body: Body, key: str) -> int:
    value = body.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
