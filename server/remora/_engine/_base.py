"""What an engine is: the mechanism that reports what the program's threads do. Types only.

An engine is told which lines, frames and exceptions to watch and reports them; it knows nothing of
breakpoints, conditions or steps. Its methods are called by the server's thread, or by a program thread that
holds the debugger's lock; what it reports, it reports on the program's threads, inside the interpreter's
callback, where no tool sees what runs. The interface is modelled on `sys.monitoring`; the older Pythons
imitate it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import CodeType, FrameType, TracebackType
    from typing import TypeVar

    T = TypeVar("T")
    Report = Callable[[FrameType], object]
    """Called when a watched line is reached. True: the thread was held there and has been let go again."""

    ErrorReport = Callable[[FrameType, BaseException, TracebackType | None], object]
    """The traceback ends at the frame it was raised in and begins at this one."""

    ExitReport = Callable[[FrameType, "Happening", Any, bool], tuple[bool, Any]]
    """Called with what a watched function returns or yields, and whether that can still be replaced.

    Gives whether the thread was held and has been let go again, and what is to be handed over instead.
    """

    Lines = Mapping[str, Mapping[int, Report]]
    """File name as in `co_filename`, then line, then whom to tell."""

__all__ = ["Engine", "ErrorWatch", "Happening", "Listener", "Watch"]


class Happening(Enum):
    """What a followed frame just did."""

    LINE = "line"
    CALL = "call"
    RETURN = "return"
    YIELD = "yield"
    UNWIND = "unwind"
    INSTRUCTION = "instruction"
    CALLING = "calling"
    CALLED = "called"


@dataclass(frozen=True)
class Watch:
    """The frames that one step wants to hear of, by identity.

    Attributes:
        lines: report each line (and each further turn of a loop on one line) of these.
        returns: report when these return, yield or are unwound.
        landing: report the next instruction of this one.
        calls: report each frame that starts or resumes on the stack above this one.
        calling: report what this one is about to call, once for each place, as CALLING; an engine for which
            that is dear does not.
        called: report what these return to that one, as CALLED; as long as they do not return too often.
    """

    lines: Mapping[int, FrameType] = field(default_factory=dict)
    returns: Mapping[int, FrameType] = field(default_factory=dict)
    landing: FrameType | None = None
    calls: FrameType | None = None
    calling: FrameType | None = None
    called: Mapping[int, CodeType] = field(default_factory=dict)


class ErrorWatch(NamedTuple):
    """Whom to tell of exceptions, and of which.

    Attributes:
        wants: whether exceptions of this type matter; asked once for each.
        concerns: whether those in this frame do. An engine may ask it to save work, and need not.
    """

    report: ErrorReport
    wants: Callable[[type], bool]
    concerns: Callable[[FrameType], bool]


class Listener(Protocol):
    """Whom an engine tells. Every method runs on a program thread and may hold it. None of them raises."""

    @property
    def own_threads(self) -> set[int]:
        """Idents of threads that are never traced."""

    def change(self, change: Callable[[], None]) -> None:
        """Call this under the debugger's lock, as the engine's own methods are called."""

    def on_file(self, filename: str) -> None:
        """Code of this file is about to run for the first time since somebody watched."""

    def on_code(self, code: CodeType, name: str, module: object) -> None:
        """Asked for by `Engine.watch_new_code`: this function is new.

        Args:
            code: as the program made it.
            name: its qualified name, as far as this Python knows it.
            module: the name of the module that it is in.
        """

    def on_interrupt(self, frame: FrameType) -> bool:
        """An interrupted thread has come to a place where it can be held. True: it was held."""

    def on_step(self, owner: int, happening: Happening, frame: FrameType, value: Any) -> bool:
        """A frame that `owner`'s step watches did something. True: the thread was held."""

    def on_interrupted(self) -> None:
        """A signal's handler has raised in a report while nobody was held: `let_out` is to be called."""

    def on_removed(self) -> None:
        """What a signal's handler raised leaves a report: `return_to_threads` is to be called soon."""

    def on_failure(self, error: BaseException) -> None:
        """Something of ours went wrong. The program must not notice; the person at the client should."""


class Engine(Protocol):
    """How to hear of what a program does. `limits` names, in sentences, what this one cannot hear.

    Where the stack of the program is at its end there is no room for a report. It is then left out, with no
    word to anybody, since that would take a call as well: the program must not be the one to get the error.

    Attributes:
        replaces_values: whether what a function returns can be replaced, by `watch_exits`.
    """

    name: str
    limits: list[str]
    replaces_values: bool

    def attach(self, listener: Listener) -> None:
        """Take what is needed from the interpreter. Nothing is watched yet, so nothing is slower yet."""

    def detach(self) -> None:
        """Give everything back: no event, tracer, tool id or changed code object is left. Idempotent."""

    def watch_lines(self, lines: Lines) -> None:
        """Report these lines and no others, also in code that is running, suspended or not loaded yet."""

    def watch_entries(self, entries: Sequence[tuple[CodeType, Report]]) -> None:
        """Report each start and resumption of these functions and no others."""

    def watch_exits(self, exits: Sequence[tuple[CodeType, ExitReport]]) -> None:
        """Report what these functions return, and what each `yield` of their own yields, and no others."""

    def watch_new_code(self, wanted: bool) -> None:
        """Tell the listener of functions when they are made or, at the latest, run for the first time."""

    def original(self, code: CodeType) -> CodeType:
        """`code` as the program made it, if this is what we have made of it."""

    def place_of(self, frame: FrameType) -> int:
        """Where a frame is in the code as the program made it: `f_lasti`, without what we have put in."""

    def known_functions(self) -> Iterable[tuple[CodeType, str, object]]:
        """Functions that `watch_new_code` will not tell of, since they are there: as in `on_code`."""

    def watch_files(self, wanted: bool) -> None:
        """Tell the listener of each file whose code runs for the first time (`on_file`)."""

    def watch_exceptions(self, raised: ErrorWatch | None, unwound: ErrorWatch | None) -> None:
        """Tell `raised` of exceptions in each frame they come to, `unwound` in each they leave."""

    def hold(self, frame: FrameType, hold: Callable[[], bool]) -> bool:
        """Have `hold` called by this thread where it can best be held: here, or just before the line's code.

        To be called in what was reported of a watched line; what it returns is to be returned.
        """

    def reenter(self, function: Callable[[], T]) -> T:
        """Call a function of the program's from inside a report, and report what it does as of any other."""

    def leave_thread(self) -> None:
        """The calling thread has become one of the listener's `own_threads`: nothing of ours stays on it."""

    def let_out(self) -> None:
        """A signal's handler has raised, and that leaves the report: no traceback is to show how."""

    def return_to_threads(self) -> None:
        """Some time after `on_removed`, on another thread: all is to be as before.

        What is raised in a tracing function has the interpreter take that out of the thread.
        """

    def interrupt(self) -> None:
        """Report every thread at its next line, as `on_interrupt`, until `let_go`."""

    def let_go(self) -> None:
        """Stop what `interrupt` began."""

    def follow(self, owner: int, watch: Watch | None) -> None:
        """Report what these frames do, for the step of the thread `owner`; None: no longer."""

    def follow_nobody(self) -> None:
        """Forget every step."""

    def after_fork_in_child(self) -> None:
        """The process is a fresh copy with one thread: let go of everything that the parent had asked for."""
