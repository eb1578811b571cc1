"""Remora's client: `attach` and what it gives, for scripts. The command `remora` is in `cli`.

Everything is imported when it is first used, so that the command is quick, and so that importing this
package works where the client's dependencies are missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_protocol._version import __version__

if TYPE_CHECKING:
    from remora_client._declared import command, renderer
    from remora_client._errors import ClientError, ConnectError, Gone
    from remora_client._finding._facts import ObjectInfo, Referrer, Size
    from remora_client._finding._functions import Function
    from remora_client._finding._mapping import MappedFolder, Whereabouts
    from remora_client._finding._reasons import Explanation
    from remora_client._model import (
        Breakpoint,
        ExceptionFilter,
        ExceptionInfo,
        LogRecord,
        Scope,
        Source,
        SourceText,
        Task,
        Thread,
    )
    from remora_client._options import ConnectOptions
    from remora_client._scripting._sync import (
        Frame,
        Session,
        Sessions,
        Stop,
        Value,
        attach,
        attach_all,
        processes,
    )
    from remora_client._sessions._state import State
    from remora_protocol import ProcessInfo, RequestFailed

__all__ = [
    "Breakpoint",
    "ClientError",
    "ConnectError",
    "ConnectOptions",
    "ExceptionFilter",
    "ExceptionInfo",
    "Explanation",
    "Frame",
    "Function",
    "Gone",
    "LogRecord",
    "MappedFolder",
    "ObjectInfo",
    "ProcessInfo",
    "Referrer",
    "RequestFailed",
    "Scope",
    "Session",
    "Sessions",
    "Size",
    "Source",
    "SourceText",
    "State",
    "Stop",
    "Task",
    "Thread",
    "Value",
    "Whereabouts",
    "__version__",
    "attach",
    "attach_all",
    "command",
    "processes",
    "renderer",
]

_MODEL = "remora_client._model"
_HOMES = {
    "ClientError": "remora_client._errors",
    "ConnectError": "remora_client._errors",
    "ConnectOptions": "remora_client._options",
    "Gone": "remora_client._errors",
    "Explanation": "remora_client._finding._reasons",
    "Function": "remora_client._finding._functions",
    "MappedFolder": "remora_client._finding._mapping",
    "Whereabouts": "remora_client._finding._mapping",
    "ObjectInfo": "remora_client._finding._facts",
    "Referrer": "remora_client._finding._facts",
    "Size": "remora_client._finding._facts",
    "Frame": "remora_client._scripting._sync",
    "ProcessInfo": "remora_protocol",
    "RequestFailed": "remora_protocol",
    "Session": "remora_client._scripting._sync",
    "Sessions": "remora_client._scripting._sync",
    "State": "remora_client._sessions._state",
    "Stop": "remora_client._scripting._sync",
    "Value": "remora_client._scripting._sync",
    "attach": "remora_client._scripting._sync",
    "attach_all": "remora_client._scripting._sync",
    "command": "remora_client._declared",
    "processes": "remora_client._scripting._sync",
    "renderer": "remora_client._declared",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES.get(name, _MODEL)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
