"""How what a signal's handler has raised in a report goes on to the program, with nothing of ours to be seen.

The handler of a Ctrl-C runs in whatever the main thread is doing, and while that is held, in us. A Python
function that raises is in the traceback which the program prints when it dies of it. So a tracing function
takes the exception, and leaves one in its place, made of C alone, that raises it. A callback of
`sys.monitoring` lets it out, and cuts the traceback where the program's frame gets it.
"""

from __future__ import annotations

import dis
import sys
from typing import TYPE_CHECKING, Any

from remora._interpreter._frames import EVALUATED, OWN_FOLDER

if TYPE_CHECKING:
    from types import FrameType, TracebackType

__all__ = ["Raiser", "can_raise_soon", "cut", "raise_next", "raise_soon", "without_reports"]

# Since 3.12 a frame that asks to hear of its instructions does not hear of the one that it is at.
_TELLS_AT_ONCE = sys.version_info < (3, 12) or sys.implementation.name == "pypy"
# What no thread is in for long, and with what is done by then nothing is lost.
_QUICK = frozenset(
    number
    for name, number in dis.opmap.items()
    if name.startswith(("LOAD_", "STORE_", "POP_", "DUP_", "ROT_", "COPY", "SWAP", "BUILD_", "FORMAT_"))
    or name in ("KW_NAMES", "PRECALL", "PUSH_NULL", "RETURN_VALUE", "NOP")
)


class Raiser(map):  # type: ignore[type-arg]
    """A tracing function that raises an exception as soon as it is to be called.

    To look up its `__call__` does it: a generator that has ended throws what it is given.
    """

    __call__: Any = property(next)


def without_reports(error: BaseException) -> BaseException:
    """Leave of its traceback what is not ours: the signal's handler, if that is in Python."""
    return error.with_traceback(_after_ours(error.__traceback__))


def cut(error: BaseException) -> None:
    """Take what is ours out of the middle of its traceback."""
    if error.__traceback__ is not None:
        error.__traceback__.tb_next = _after_ours(error.__traceback__.tb_next)


def _after_ours(found: TracebackType | None) -> TracebackType | None:
    rest = found
    while found is not None:
        rest = found.tb_next if _is_ours(found) else rest
        found = found.tb_next
    return rest


def _is_ours(found: TracebackType) -> bool:
    filename = found.tb_frame.f_code.co_filename
    return filename.startswith(OWN_FOLDER) or filename == EVALUATED


def can_raise_soon(frame: FrameType, event: str) -> bool:
    """Whether a tracing function is called before anything happens in the frame that is to get it.

    After the event of an instruction, this is run first.
    """
    if not _TELLS_AT_ONCE or (event == "return" and frame.f_back is None):
        return False
    return event != "opcode" or frame.f_code.co_code[frame.f_lasti] in _QUICK


def raise_soon(frame: FrameType, event: str, error: BaseException) -> Raiser | None:
    """Raise it where the tracing function of a frame would, which is to return this."""
    if event == "return":
        raise_next(frame.f_back, error)
        return None
    return raise_next(frame, error)


def raise_next(frame: FrameType | None, error: BaseException, *, at_line: bool = False) -> Raiser:
    """Raise it on this thread in the frame, or in what is called before that goes on.

    At its next instruction; or at its next line, when what comes before that is ours.
    """
    ended = (each for each in "")
    ended.close()
    rest = without_reports(error).__traceback__
    raiser = Raiser(ended.throw, [type(error)], [error], [rest])  # PyPy would take the uncut traceback
    if frame is not None:
        frame.f_trace = raiser
        # Not both: 3.9 would lose what is raised at a line, and ask at the instruction again.
        frame.f_trace_lines = at_line
        frame.f_trace_opcodes = not at_line
    sys.settrace(raiser)
    return raiser
