"""The program's log records, which DAP does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora._handlers._table import handles

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._sessions._session import Session

__all__ = ["logging"]


@handles("remora/logging")
def logging(session: Session, arguments: Arguments) -> None:
    """Send the program's log records from a level up as `output` events; without a level, no more of them."""
    level = arguments.optional_text("level")
    if level is None:
        session.server.logs.stop()
    else:
        session.server.logs.start(level)
