"""One line for each message, for `-v` and `-vv`. Never a secret: logins are named, not shown. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from remora_client._text import clip, visible
from remora_protocol import Event, Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remora_protocol import Message

__all__ = ["describe"]

_SECRETIVE = frozenset({"remora/authenticate"})
_SECRET_KEYS = frozenset({"secret", "resume", "token"})
_LONGEST = 2000


def describe(arrow: str, message: Message, *, bodies: bool) -> str:
    """What went over the wire: `-> 3 evaluate {…}`."""
    if isinstance(message, Request):
        return f"{arrow} {message.seq} {_named(message.command, message.arguments, bodies)}"
    if isinstance(message, Response):
        outcome = "" if message.success else f" refused: {visible(message.message or '')}"
        return f"{arrow} {message.request_seq} {_named(message.command, message.body, bodies)}{outcome}"
    assert isinstance(message, Event)
    return f"{arrow} event {_named(message.event, message.body, bodies)}"


def _named(name: str, body: Any, bodies: bool) -> str:
    if not bodies or not body or name in _SECRETIVE:
        return visible(name)
    return f"{visible(name)} {clip(visible(json.dumps(_without_secrets(body))), _LONGEST)}"


def _without_secrets(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    if isinstance(body.get("remora"), dict):
        body = {**body, "remora": _without_secrets(body["remora"])}
    shown: Mapping[str, Any] = {key: "…" if key in _SECRET_KEYS else value for key, value in body.items()}
    return shown
