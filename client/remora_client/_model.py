"""What a session hands out: frozen records made from DAP bodies. Pure.

Text in them is as the debuggee sent it. Whoever shows it sends it through `_text.visible` first. It is this
long because each thing that DAP speaks of has its record here.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EvaluateContext = Literal["repl", "watch", "hover", "clipboard", "variables"]
Moment = Literal["call", "return", "yield"]
StopMode = Literal["all", "one"]

__all__ = [
    "Breakpoint",
    "BreakpointChanges",
    "EvaluateContext",
    "ExceptionFilter",
    "ExceptionInfo",
    "Frame",
    "LogRecord",
    "Moment",
    "Scope",
    "Source",
    "SourceText",
    "Stop",
    "StopMode",
    "Task",
    "Thread",
    "Value",
    "Variable",
    "records",
]


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""


def _number(body: Mapping[str, Any], key: str) -> int:
    value = body.get(key)
    return value if isinstance(value, int) else 0


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(body: Mapping[str, Any], key: str) -> int | None:
    value = body.get(key)
    return value if isinstance(value, int) else None


def records(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of objects out of a body, whatever the server put there."""
    value = body.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


@record
class Source:
    """A file as the debuggee names it."""

    name: str
    path: str
    reference: int = 0
    sha256: str | None = None
    is_library: bool = field(default=False, compare=False)  # the server says that it is not the user's own
    origin: str = field(default="", compare=False)  # what the server has to say of it

    @classmethod
    def from_dap(cls, body: Any) -> Source:
        """Read a DAP `Source`; anything missing becomes empty."""
        body = _mapping(body)
        path = _text(body, "path")
        sha256 = next(
            (
                _text(each, "checksum").lower()
                for each in records(body, "checksums")
                if each.get("algorithm") == "SHA256"
            ),
            None,
        )
        name = _text(body, "name") or path.replace("\\", "/").rpartition("/")[2]
        subtle = body.get("presentationHint") == "deemphasize"
        return cls(name, path, _number(body, "sourceReference"), sha256, subtle, _text(body, "origin"))

    def to_dap(self) -> dict[str, Any]:
        """The body that names this file in a request."""
        body: dict[str, Any] = {"name": self.name}
        if self.path:
            body["path"] = self.path
        if self.reference:
            body["sourceReference"] = self.reference
        return body


@record
class SourceText:
    """The text of a file: the local copy when it is the same, else what the server loaded."""

    source: Source
    text: str
    local_path: str | None = None  # where the same file is on this machine, if it is
    differs: bool = False  # a local copy exists, and is not what the debuggee runs


@record
class Thread:
    """A thread. `state` is running, stopped, native or untraced, and "" where the server does not say."""

    id: int
    name: str
    state: str = ""

    @classmethod
    def from_dap(cls, body: Mapping[str, Any]) -> Thread:
        """Read a DAP `Thread` (Remora adds `state`)."""
        remora = _mapping(body.get("remora"))
        return cls(_number(body, "id"), _text(body, "name"), _text(body, "state") or _text(remora, "state"))


@record
class Frame:
    """One call on a stack. `index` 0 is the newest. `id` 0: known from a stop, not asked for yet."""

    id: int
    name: str
    source: Source
    line: int
    column: int = 0
    index: int = 0
    subtle: bool = False  # not the user's own code

    @property
    def path(self) -> str:
        """The path as the debuggee names it."""
        return self.source.path or self.source.name

    @classmethod
    def from_dap(cls, body: Mapping[str, Any], index: int = 0) -> Frame:
        """Read a DAP `StackFrame`, or the short frame of Remora's `stopped` event."""
        source = Source.from_dap(body.get("source") or {"path": body.get("path")})
        return cls(
            _number(body, "id"),
            _text(body, "name"),
            source,
            _number(body, "line"),
            _number(body, "column"),
            index,
            body.get("presentationHint") in ("subtle", "label"),
        )


@record
class Task:
    """A task of an event loop. `frames`: its chain of awaits, newest first; `waits_for`: what that awaits."""

    id: int
    name: str
    thread_id: int
    state: str  # "running" or "waiting"
    waits_for: str
    frames: tuple[Frame, ...]

    @classmethod
    def from_dap(cls, body: Mapping[str, Any]) -> Task:
        """Read one task of `remora/tasks`."""
        return cls(
            _number(body, "id"),
            _text(body, "name"),
            _number(body, "threadId"),
            _text(body, "state"),
            _text(body, "waitsFor"),
            tuple(Frame.from_dap(each, index) for index, each in enumerate(records(body, "frames"))),
        )


@record
class Scope:
    """A group of variables of one frame: "Locals", "Globals", "Return value" …"""

    name: str
    reference: int
    hint: str = ""  # DAP's presentationHint: "locals", "arguments", "returnValue" …
    expensive: bool = False
    named: int | None = None
    indexed: int | None = None

    @classmethod
    def from_dap(cls, body: Mapping[str, Any]) -> Scope:
        """Read a DAP `Scope`."""
        return cls(
            _text(body, "name"),
            _number(body, "variablesReference"),
            _text(body, "presentationHint"),
            bool(body.get("expensive")),
            _count(body, "namedVariables"),
            _count(body, "indexedVariables"),
        )


_CODE = frozenset({"module", "function", "type", "builtin_function_or_method", "ABCMeta", "EnumType"})


@record
class Value:
    """What an expression gave. `reference` > 0: it has children, see `Session.variables`."""

    value: str
    type: str = ""
    reference: int = 0
    named: int | None = None
    indexed: int | None = None
    number: int = field(default=0, kw_only=True)  # `$1` and so on name it, where it was to be kept

    @classmethod
    def from_dap(cls, body: Mapping[str, Any], key: str = "result") -> Value:
        """Read the body of `evaluate` (key "result"), `setVariable` or `setExpression` (key "value")."""
        return cls(
            _text(body, key),
            _text(body, "type"),
            _number(body, "variablesReference"),
            _count(body, "namedVariables"),
            _count(body, "indexedVariables"),
            number=_number(_mapping(body.get("remora")), "number"),
        )


@record
class Variable(Value):
    """A named value."""

    name: str = ""
    evaluate_name: str = ""
    kind: str = ""  # DAP's presentationHint.kind
    lazy: bool = False

    @property
    def is_code(self) -> bool:
        """A module, function or class: its source says all there is to know."""
        return self.type.rpartition(".")[2] in _CODE

    @classmethod
    def from_dap(cls, body: Mapping[str, Any], key: str = "value") -> Variable:
        """Read a DAP `Variable`."""
        value = Value.from_dap(body, key)
        hint = _mapping(body.get("presentationHint"))
        return cls(
            value.value,
            value.type,
            value.reference,
            value.named,
            value.indexed,
            _text(body, "name"),
            _text(body, "evaluateName"),
            _text(hint, "kind"),
            bool(hint.get("lazy")),
        )


@record
class Breakpoint:
    """A breakpoint as the person set it, with what the server made of it.

    `number` is ours and stays for the whole session; `server_id` may change when the file is sent again.
    """

    number: int
    kind: Literal["line", "function"]
    path: str  # what goes to the server: a local absolute path when there is one ("" for functions)
    line: int  # the line that was asked for
    function: str = ""
    at: Moment = "call"  # where in the function
    column: int | None = None
    condition: str | None = None
    hit_condition: str | None = None
    ignore: int = 0  # so many hits are passed, once; of one process, and 0 again when it stops that
    log_message: str | None = None
    enabled: bool = True
    temporary: bool = False
    sha256: str | None = None  # of the local copy, so that the server can tell equals apart
    name: str = ""  # given by the person; several may share one, and are a group
    thread: str | None = None  # stop only threads whose name matches this pattern
    task: str | None = None  # and only tasks whose name does
    after: int | None = None  # the number of the breakpoint that arms this one
    armed: bool = False  # that one was hit
    in_copy: bool = False  # `line` is one of the local copy, which may differ from what the program runs
    sent_line: int | None = None  # the same statement's line in what the program runs, where it differs
    verified: bool = False
    bound_line: int | None = None
    bound_column: int | None = None  # where the one of several places on the line begins
    bound_path: str | None = None  # the debuggee's path
    bound_sha256: str | None = None  # of the text that the debuggee runs
    message: str | None = None
    reason: str | None = None  # DAP: "pending" or "failed"
    server_id: int | None = None

    @property
    def active(self) -> bool:
        """Whether the server is to know of it now."""
        return self.enabled and (self.after is None or self.armed)

    @property
    def is_of_other_text(self) -> bool:
        """Whether the program runs another text than the copy that `line` is of, and it is not found yet."""
        return self.in_copy and self.sent_line is None and self.bound_sha256 not in (None, self.sha256)

    def note(self) -> str:
        """What a person should know about where it is."""
        if self.sent_line in (None, self.line):
            return self.message or ""
        moved = f"Line {self.line} of your copy is line {self.sent_line} of what the program runs."
        return f"{moved} {self.message or ''}".rstrip()

    def place(self) -> str:
        """The place in the form that `break` takes."""
        if self.kind == "function":
            return self.function
        column = f":{self.bound_column}" if self.bound_column else ""
        return f"{self.bound_path or self.path}:{self.bound_line or self.line}{column}"

    def unbound(self) -> Breakpoint:
        """What the person set, without what a server made of it."""
        return replace(
            self,
            verified=False,
            bound_line=None,
            bound_column=None,
            bound_path=None,
            bound_sha256=None,
            sent_line=None,
            armed=False,
            ignore=0,
            message=None,
            reason=None,
            server_id=None,
        )

    def to_dap(self) -> dict[str, Any]:
        """A DAP `SourceBreakpoint` or `FunctionBreakpoint`."""
        if self.kind == "function":
            body: dict[str, Any] = {"name": self.function}
            if self.at != "call":
                body["at"] = self.at
        else:
            body = {"line": self.line if self.sent_line is None else self.sent_line}
        for key, pattern in (("thread", self.thread), ("task", self.task)):
            if pattern is not None:
                body[key] = pattern
        if self.column is not None and self.kind == "line":
            body["column"] = self.column
        if self.condition:
            body["condition"] = self.condition
        if self.ignore:
            body["hitCondition"] = f"> {self.ignore}"
        elif self.hit_condition:
            body["hitCondition"] = self.hit_condition
        if self.log_message is not None:
            body["logMessage"] = self.log_message
        return body


class BreakpointChanges(TypedDict, total=False):
    """What of a breakpoint can be changed; what is left out stays."""

    enabled: bool
    condition: str | None
    hit_condition: str | None
    ignore: int
    log_message: str | None
    temporary: bool
    line: int
    name: str
    thread: str | None
    task: str | None


@record
class LogRecord:
    """A record of the program's `logging`."""

    logger: str
    level: str
    message: str
    function: str = ""
    thread: str = ""
    source: Source | None = None
    line: int = 0

    @classmethod
    def from_dap(cls, body: Mapping[str, Any]) -> LogRecord | None:
        """Read an `output` event; None: it tells of no record."""
        log = _mapping(_mapping(body.get("remora")).get("log"))
        if not log:
            return None
        source = Source.from_dap(body["source"]) if body.get("source") else None
        return cls(
            _text(log, "logger"),
            _text(log, "level"),
            _text(log, "message"),
            _text(log, "function"),
            _text(log, "thread"),
            source,
            _number(body, "line"),
        )


@record
class ExceptionFilter:
    """Stop at exceptions: `filter` is the server's name for the mode, `condition` narrows it."""

    filter: str
    condition: str | None = None


@record
class ExceptionInfo:
    """The exception that a thread is stopped at."""

    type: str
    description: str
    mode: str
    full_type: str = ""
    stack_trace: str = ""
    details: Mapping[str, Any] | None = None  # DAP's ExceptionDetails, with innerException
    shown: int = 0  # the number of the one, of all those in `details`, that is looked at

    @classmethod
    def from_dap(cls, body: Mapping[str, Any]) -> ExceptionInfo:
        """Read the body of `exceptionInfo`."""
        details = _mapping(body.get("details"))
        return cls(
            _text(body, "exceptionId"),
            _text(body, "description"),
            _text(body, "breakMode"),
            _text(details, "fullTypeName"),
            _text(details, "stackTrace"),
            details or None,
            _number(_mapping(body.get("remora")), "shown"),
        )


@record
class Stop:
    """Why and where the program stands still."""

    reason: str  # DAP's: "breakpoint", "step", "pause", "exception", "entry", "goto" …
    thread_id: int
    description: str = ""
    text: str = ""
    hit_breakpoints: tuple[int, ...] = ()  # server ids
    all_threads: bool = True
    frame: Frame | None = None  # Session.wait_for_stop fills it
    passed: tuple[str, str] = ("", "")  # the file of a call that a step did not enter, and the rule why
    instruction: str = ""  # the next one, after a step by instructions
    was_there: bool = False  # already when this client came
    returned: str = ""  # the function whose return value there is to be shown
    known: tuple[Breakpoint, ...] = ()  # those of ours that were hit, as far as known then; see `hit`

    @classmethod
    def from_dap(cls, body: Mapping[str, Any]) -> Stop:
        """Read the body of a `stopped` event."""
        remora = _mapping(body.get("remora"))
        brief, passed = _mapping(remora.get("frame")), _mapping(remora.get("passed"))
        ids = body.get("hitBreakpointIds")
        return cls(
            _text(body, "reason"),
            _number(body, "threadId"),
            _text(body, "description"),
            _text(body, "text") or _text(remora, "text"),
            tuple(each for each in ids if isinstance(each, int)) if isinstance(ids, list) else (),
            all_threads=bool(body.get("allThreadsStopped", False)),
            frame=Frame.from_dap(brief) if brief else None,
            passed=(_text(passed, "path"), _text(passed, "rule")),
            instruction=_text(remora, "instruction"),
            was_there=remora.get("wasThere") is True,
            returned=_text(remora, "returned"),
        )

    def hit(self, breakpoints: Iterable[Breakpoint]) -> list[Breakpoint]:
        """Those of ours that were hit: what is known now, and what was known when it stopped."""
        found = {each.number: each for each in self.known}
        for each in breakpoints:
            if each.server_id is not None and each.server_id in self.hit_breakpoints:
                found.setdefault(each.number, each)
        return list(found.values())
