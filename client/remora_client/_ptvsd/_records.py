"""What both dialects of the old ptvsd say, as frozen records, and the words they say it with. Pure.

The names are ours; ptvsd-wire's tags and event names appear only in the two codecs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Attached",
    "BreakpointBound",
    "BreakpointHit",
    "BreakpointSpec",
    "BreakpointUnbound",
    "Child",
    "Children",
    "CommandFailed",
    "Detached",
    "Evaluated",
    "EvaluationFailed",
    "ExceptionMode",
    "ExceptionModes",
    "ExceptionRaised",
    "Greeting",
    "HandlersAsked",
    "Info",
    "LastAsked",
    "LineSet",
    "ModuleLoaded",
    "ModulesChanged",
    "Output",
    "PassKind",
    "Paused",
    "Pong",
    "ProcessLoaded",
    "RemoteFrame",
    "RemoteObject",
    "Said",
    "StepDone",
    "StepKind",
    "ThreadFrames",
    "ThreadGone",
    "ThreadSeen",
    "TryRange",
    "Verdict",
]

StepKind: TypeAlias = Literal["in", "over", "out"]


class PassKind(IntEnum):
    """When, by its number of hits, a breakpoint stops."""

    ALWAYS = 0
    EVERY = 1
    EQUAL = 2
    FROM = 3


@dataclass(frozen=True)
class BreakpointSpec:
    """A breakpoint to set. `ident` is ours, and never used again by another session."""

    ident: int
    line: int
    file: str
    condition: str = ""
    kind: PassKind = PassKind.ALWAYS
    count: int = 0


class ExceptionMode(IntEnum):
    """When an exception stops its thread."""

    NEVER = 0
    RAISED = 1
    UNHANDLED = 32


@dataclass(frozen=True)
class ExceptionModes:
    """Which exceptions stop: a mode for all, and modes for some by their names."""

    default: ExceptionMode = ExceptionMode.NEVER
    named: Mapping[str, ExceptionMode] = field(default_factory=dict)


@dataclass(frozen=True)
class TryRange:
    """Lines of a file whose exceptions are handled: `first` <= line < `end`, by dotted names or "*"."""

    first: int
    end: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class RemoteObject:
    """A value, as the server shows it."""

    text: str | None  # its repr, cut by the server; None when there is none
    hex: str | None
    type: str
    length: int
    flags: int = 0

    @property
    def expandable(self) -> bool:
        """Whether it has children worth asking for."""
        return bool(self.flags & 1)


@dataclass(frozen=True)
class RemoteFrame:
    """One frame of a thread. Variables come in order: arguments, locals, then globals it mentions."""

    first_line: int
    last_line: int
    line: int
    name: str
    file: str
    argument_count: int
    variables: Sequence[tuple[str, RemoteObject]]


@dataclass(frozen=True)
class Child:
    """One child of a value. Without an expression it cannot be looked into."""

    name: str
    expression: str | None
    value: RemoteObject


# -- said during the handshake


@dataclass(frozen=True)
class Greeting:
    """The server's first words: the number of its protocol."""

    number: int


@dataclass(frozen=True)
class Verdict:
    """Whether the secret, or an attach, was accepted."""

    accepted: bool


@dataclass(frozen=True)
class Info:
    """What the process says of itself."""

    pid: int
    executable: str
    user: str
    version: str  # "CPython 2.7.18 (Linux 64-bit)"


@dataclass(frozen=True)
class Attached:
    """The session begins."""

    pid: int
    version: tuple[int, int, int]


# -- said during a session


@dataclass(frozen=True)
class ThreadSeen:
    """A thread is there."""

    thread: int


@dataclass(frozen=True)
class ThreadGone:
    """A thread has ended."""

    thread: int


@dataclass(frozen=True)
class ModuleLoaded:
    """A module is there; its file may be a .pyc."""

    file: str


@dataclass(frozen=True)
class ModulesChanged:
    """The burst of modules after an attach is over (protocol 8)."""


@dataclass(frozen=True)
class ProcessLoaded:
    """The stop that an attach makes by itself."""

    thread: int


@dataclass(frozen=True)
class ThreadFrames:
    """A thread's stack, newest first. With a name it was the thread itself that sent it."""

    thread: int
    name: str | None
    frames: Sequence[RemoteFrame]


@dataclass(frozen=True)
class BreakpointBound:
    """A breakpoint's file is known."""

    ident: int


@dataclass(frozen=True)
class BreakpointUnbound:
    """A breakpoint's file is not known, which does not keep it from being hit."""

    ident: int


@dataclass(frozen=True)
class BreakpointHit:
    """A thread stopped at a breakpoint."""

    ident: int
    thread: int


@dataclass(frozen=True)
class StepDone:
    """A thread stopped after a step."""

    thread: int


@dataclass(frozen=True)
class Paused:
    """A thread stopped because everything was asked to."""

    thread: int


@dataclass(frozen=True)
class ExceptionRaised:
    """A thread stopped at an exception."""

    thread: int
    type: str
    text: str
    unhandled: bool
    trace: str = ""


@dataclass(frozen=True)
class HandlersAsked:
    """A thread waits to be told which exceptions a file handles, and where."""

    file: str


@dataclass(frozen=True)
class Evaluated:
    """The value of an expression."""

    ident: int
    value: RemoteObject


@dataclass(frozen=True)
class EvaluationFailed:
    """An expression raised; the text only, without its type."""

    ident: int
    text: str


@dataclass(frozen=True)
class Children:
    """The children of an expression's value; none, too, when it failed."""

    ident: int
    children: Sequence[Child]


@dataclass(frozen=True)
class LineSet:
    """The next line of a thread was set, or not."""

    done: bool
    thread: int
    line: int


@dataclass(frozen=True)
class Output:
    """The program printed. `channel` is "" where the server does not tell."""

    thread: int
    text: str
    channel: str = ""


@dataclass(frozen=True)
class Pong:
    """The server's command loop is alive."""

    ident: int


@dataclass(frozen=True)
class CommandFailed:
    """A command raised inside the server (JSON only)."""

    command: str
    text: str


@dataclass(frozen=True)
class LastAsked:
    """The server wants to hear that its last word was heard."""


@dataclass(frozen=True)
class Detached:
    """The session is over, by our wish or because the process ends."""


Said: TypeAlias = (
    Greeting
    | Verdict
    | Info
    | Attached
    | ThreadSeen
    | ThreadGone
    | ModuleLoaded
    | ModulesChanged
    | ProcessLoaded
    | ThreadFrames
    | BreakpointBound
    | BreakpointUnbound
    | BreakpointHit
    | StepDone
    | Paused
    | ExceptionRaised
    | HandlersAsked
    | Evaluated
    | EvaluationFailed
    | Children
    | LineSet
    | Output
    | Pong
    | CommandFailed
    | LastAsked
    | Detached
)
