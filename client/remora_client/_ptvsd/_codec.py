"""What the two dialects have in common: bytes in, records out; commands as bytes. No I/O.

A codec is used by one task of the event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_client._ptvsd._records import BreakpointSpec, ExceptionModes, Said, StepKind, TryRange

__all__ = ["MOST_ITEMS", "MOST_TEXT", "OPTIONS", "Codec"]

# The names of what a session wants. The two Wait options are left out: with them the program would wait
# for Enter on its own console at its end. RedirectOutput is added by the server, if its script wants it.
OPTIONS = "RichExceptions"
# A server that has lost its place sends lengths of any size: nothing real comes near these.
MOST_TEXT = 64 * 1024 * 1024
MOST_ITEMS = 1_000_000


class Codec(Protocol):
    """One dialect. Every command gives the bytes to send; `next` gives what came, in order."""

    number: int  # of the protocol; 0 before the greeting

    def receive(self, data: bytes) -> None:
        """Store bytes."""

    def next(self) -> Said | None:
        """The next record; None: more bytes are needed. Raises `RemoteProtocolError`."""

    # -- the handshake

    def refuse(self) -> bytes:
        """Make the server close by itself: our signature with a number of ours."""

    def log_in(self, secret: str) -> bytes:
        """Signature, number and secret -> `Verdict`."""

    def ask_info(self) -> bytes:
        """-> `Info`."""

    def attach(self) -> bytes:
        """-> `Attached`, or `Verdict(False)`."""

    # -- the session

    def set_breakpoint(self, spec: BreakpointSpec) -> bytes:
        """-> `BreakpointBound` or `BreakpointUnbound`."""

    def remove_breakpoint(self, spec: BreakpointSpec) -> bytes:
        """No answer."""

    def pause(self) -> bytes:
        """-> `Paused`, in time."""

    def resume(self) -> bytes:
        """All threads. No answer."""

    def step(self, kind: StepKind, thread: int) -> bytes:
        """-> `StepDone`, in time. Resumes all threads."""

    def clear_step(self, thread: int) -> bytes:
        """Forget the thread's step. No answer."""

    def evaluate(
        self, text: str, thread: int, frame: int, ident: int, *, raw: bool = False, module: str = ""
    ) -> bytes:
        """-> `Evaluated` or `EvaluationFailed`. `module` is for protocol 8 only."""

    def children(self, text: str, thread: int, frame: int, ident: int) -> bytes:
        """-> `Children`."""

    def set_line(self, thread: int, line: int) -> bytes:
        """-> `LineSet`."""

    def ask_frames(self, thread: int) -> bytes:
        """-> `ThreadFrames`. Not every server of protocol 6 knows this."""

    def set_exceptions(self, modes: ExceptionModes) -> bytes:
        """No answer."""

    def tell_handlers(self, file: str, ranges: Sequence[TryRange]) -> bytes:
        """The answer to `HandlersAsked`; never without it."""

    def ping(self, ident: int) -> bytes:
        """-> `Pong`."""

    def detach(self) -> bytes:
        """-> `Detached`."""

    def after_detach(self) -> bytes:
        """What makes the server's loop end after `Detached`; b"" where it does so by itself."""

    def acknowledge(self) -> bytes:
        """The answer to `LastAsked`."""
