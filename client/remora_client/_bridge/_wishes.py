"""What the editor's configuration asks for: the arguments of `attach`, read and checked. Pure.

Names that debuggers for Python have used before mean here what they mean there, so that an old launch.json
works: `connect`, `pathMappings`, `processId`, `justMyCode`, `redirectOutput`.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from remora_client._bridge._paths import Mapping
from remora_client._errors import UsageError
from remora_client._model import records
from remora_client._records import record
from remora_client._snapshot import is_snapshot
from remora_protocol import Qualifier, QualifierError, parse_qualifier

if TYPE_CHECKING:
    from remora_client._options import ConnectOptions

__all__ = ["Wishes", "as_keys"]

# For the bridge itself, or for the editor; everything else goes on to the server.
_OURS = frozenset(
    {"cafile", "cert", "connect", "fingerprint", "host", "key", "name", "observe", "pathMappings", "port"}
    | {"preLaunchTask", "postDebugTask", "presentation", "processId", "processName", "qualifier", "request"}
    | {"secret", "secretFile", "source", "type", "debugServer", "internalConsoleOptions"}
)
# What our errors advise by the command line's options, as the keys that the editor's person can write.
_OPTION = re.compile(r"(?<!\w)--([a-z][a-z-]*)(?: (?:PID|GLOB|FILE|SHA256)\b)?")
_KEYS = {
    **{each: f'"{each}"' for each in ("cafile", "cert", "fingerprint", "key")},
    **{each: f'"{each}": true' for each in ("force", "observe")},
    "name": '"processName"',
    "pid": '"processId"',
    "secret-file": '"secretFile"',
}


def as_keys(text: str) -> str:
    """A text for a person at an editor: options of the command line as keys of `attach`."""
    return _OPTION.sub(lambda found: _KEYS.get(found[1], found[0]), text)


@record
class Wishes:
    """Where to attach and how. Made from the command line, then `with_arguments` of the editor's attach.

    Attributes:
        target: where; None: this machine's own processes.
        snapshot: the file to look at, instead of a program.
        forwarded: the arguments that are the server's business.
        raw: all that the editor said, for the sessions of child processes.
    """

    options: ConnectOptions
    target: Qualifier | None = None
    snapshot: str | None = None
    pid: int | None = None
    name: str | None = None
    source: tuple[str, ...] = ()
    mappings: tuple[Mapping, ...] = ()
    forwarded: dict[str, Any] = field(default_factory=dict, repr=False)
    raw: dict[str, Any] = field(default_factory=dict, repr=False)

    def with_arguments(self, arguments: dict[str, Any]) -> Wishes:
        """The same with what the editor says. Raises `UsageError`; its text never holds the secret."""
        options = replace(
            self.options,
            secret_file=_text(arguments, "secretFile") or self.options.secret_file,
            cafile=_text(arguments, "cafile") or self.options.cafile,
            fingerprint=_text(arguments, "fingerprint") or self.options.fingerprint,
            certfile=_text(arguments, "cert") or self.options.certfile,
            keyfile=_text(arguments, "key") or self.options.keyfile,
            observe=_flag(arguments, "observe") or self.options.observe,
        )
        named = _text(arguments, "qualifier")
        snapshot = named if named is not None and is_snapshot(named) else self.snapshot
        forwarded = {key: value for key, value in arguments.items() if key not in _OURS and key[:2] != "__"}
        return replace(
            self,
            options=options,
            target=None if snapshot is not None else self._target(arguments),
            snapshot=snapshot,
            pid=_process_id(arguments) or self.pid,
            name=_text(arguments, "processName") or self.name,
            source=self.source + _texts(arguments, "source"),
            mappings=tuple(_mappings(arguments)),
            forwarded={**self.forwarded, **forwarded},
            raw=dict(arguments),
        )

    def _target(self, arguments: dict[str, Any]) -> Qualifier | None:
        target = self.target
        named = _text(arguments, "qualifier")
        connect = arguments.get("connect", arguments if "port" in arguments else None)
        try:
            if named:
                target = parse_qualifier(named)
            elif connect is not None:
                if not isinstance(connect, dict):
                    raise UsageError('attach: connect is {"host": …, "port": …}.')
                host = connect.get("host") or "127.0.0.1"
                place = f"[{host}]" if ":" in str(host) else host
                target = parse_qualifier(f"tcp://{place}:{connect.get('port', 5678)}")
        except QualifierError as error:
            raise UsageError(f"attach: {error}") from None
        secret = _text(arguments, "secret")
        return replace(target, secret=secret) if target is not None and secret is not None else target


def _text(arguments: dict[str, Any], name: str) -> str | None:
    value = arguments.get(name)
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f"attach: {name} is a text.")


def _flag(arguments: dict[str, Any], name: str) -> bool:
    value = arguments.get(name, False)
    if isinstance(value, bool):
        return value
    raise UsageError(f"attach: {name} is true or false.")


def _texts(arguments: dict[str, Any], name: str) -> tuple[str, ...]:
    value = arguments.get(name, [])
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise UsageError(f"attach: {name} is a text or a list of texts.")


def _process_id(arguments: dict[str, Any]) -> int | None:
    value = arguments.get("processId")
    if value is None or (isinstance(value, int) and value > 0):
        return value
    if isinstance(value, str) and value.isdecimal():  # an editor's list of processes gives texts
        return int(value)
    raise UsageError("attach: processId is a number.")


def _mappings(arguments: dict[str, Any]) -> list[Mapping]:
    given = arguments.get("pathMappings", [])
    found = []
    for each in records(arguments, "pathMappings"):
        local, remote = _text(each, "localRoot"), _text(each, "remoteRoot")
        if local and remote:
            found.append(Mapping(local, remote))
    if not isinstance(given, list) or len(found) != len(given):
        raise UsageError('attach: pathMappings is a list of {"localRoot": …, "remoteRoot": …}.')
    return found
