"""The scripting API for asyncio: `async with await attach(…) as session`.

Everything runs on the caller's event loop. `remora_client` itself has the same without the awaits.
"""

from __future__ import annotations

from remora_client._scripting._attaching import attach, attach_all, processes
from remora_client._scripting._objects import Frame, Stop, Value
from remora_client._scripting._session import Session
from remora_client._scripting._sessions import Sessions

__all__ = ["Frame", "Session", "Sessions", "Stop", "Value", "attach", "attach_all", "processes"]
