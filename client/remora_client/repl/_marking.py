"""Whose output a line is: the output of several programs, each line marked with its process. Event loop."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from remora_client._text import visible_block
from remora_client.repl.printer import output_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._fragments import Fragments
    from remora_client._groups._group import Member
    from remora_client._sessions._session import Session

__all__ = ["Marker", "host_of"]

_LONGEST = 4096  # a line that never ends is shown in pieces


class Marker:
    """Puts together the lines of each process, and shows each whole line with its mark."""

    def __init__(self, show: Callable[[Fragments], None]) -> None:
        self._show = show
        self._open: dict[tuple[Member, str], str] = {}

    def output(self, member: Member, category: str, text: str) -> None:
        """Something that a program printed."""
        whole = self._open.pop((member, category), "") + text
        *lines, rest = whole.split("\n")
        if len(rest) > _LONGEST:
            lines, rest = [*lines, rest], ""
        if rest:
            self._open[member, category] = rest
        for line in lines:
            self._line(member, category, line)

    def flush(self, member: Member | None = None) -> None:
        """Show the lines that have no end yet, of one process or of all."""
        for key in [each for each in self._open if member is None or each[0] is member]:
            self._line(*key, self._open.pop(key))

    def _line(self, member: Member, category: str, line: str) -> None:
        mark = ("class:dim", f"[{visible_block(member.label)}] ")
        self._show([mark, *output_lines(category, f"{line}\n")])


def host_of(session: Session) -> str:
    """The machine that a session's program is on, as it was named."""
    qualifier = session.link.qualifier
    return socket.gethostname() if qualifier is None else qualifier.host
