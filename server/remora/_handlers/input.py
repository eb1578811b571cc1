"""Lines for the program's standard input, which DAP does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._handlers._table import handles
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._sessions._session import Session

__all__ = ["input_"]


@handles("remora/input")
def input_(session: Session, arguments: Arguments) -> dict[str, Any]:
    """Give the program a line to read; `from`: whether it is to read from the client alone, or as ever.

    Answers how many lines it has not read yet.
    """
    given = session.server.input
    text, source = arguments.optional_text("text"), arguments.optional_text("from")
    if source == "client":
        given.take()
    elif source == "program":
        given.stop()
    elif source is not None:
        raise RequestFailed("bad-request", f"The program reads from client or program, not {source!r}.")
    if text is not None:
        given.give(text)
    return {"unread": given.unread}
