"""What the parts of a session have in common. Runs on the caller's event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remora_client._sessions import _session

__all__ = ["Part"]


class Part:
    """Some of what a session of the scripting API offers, over one of the core's."""

    def __init__(self, core: _session.Session) -> None:
        self._core = core
