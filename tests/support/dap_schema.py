"""The Debug Adapter Protocol's own schema, as debugpy ships it: what a message has to look like.

Every message that `DapClient` reads is held against it, so that no test of a server or of the bridge passes
with a message that a strict editor would not take.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

_PLACE = "_vendored/pydevd/_pydevd_bundle/_debug_adapter/debugProtocol.json"


@cache
def schema() -> dict[str, Any] | None:
    """The schema; None where debugpy is not installed."""
    found = importlib.util.find_spec("debugpy")
    if found is None or found.origin is None:
        return None
    loaded: dict[str, Any] = json.loads((Path(found.origin).parent / _PLACE).read_text(encoding="utf-8"))
    return loaded


@cache
def _definitions(kind: str) -> dict[str, str]:
    """Command or event -> name of its definition, for "Request", "Response" or "Event"."""
    found: dict[str, str] = {}
    requests: dict[str, str] = {}
    for name, definition in (schema() or {}).get("definitions", {}).items():
        for part in definition.get("allOf", []):
            properties = part.get("properties", {})
            if name.endswith("Event") and "event" in properties:
                for event in properties["event"].get("enum", []):
                    found[f"event {event}"] = name
            if name.endswith("Request") and "command" in properties:
                for command in properties["command"].get("enum", []):
                    requests[command] = name
    if kind == "Event":
        return found
    if kind == "Request":
        return requests
    return {command: name.removesuffix("Request") + "Response" for command, name in requests.items()}


@cache
def _validator(name: str) -> Any:
    whole = {"$ref": f"#/definitions/{name}", "definitions": (schema() or {})["definitions"]}
    return jsonschema.Draft4Validator(whole)


def definition_of(message: Mapping[str, Any]) -> str:
    """The name of the definition that a message has to satisfy."""
    kind = message.get("type")
    if kind == "event":
        return _definitions("Event").get(f"event {message.get('event')}", "Event")
    command = str(message.get("command"))
    if kind == "request":
        return _definitions("Request").get(command, "Request")
    if not message.get("success"):
        return "ErrorResponse" if "body" in message else "Response"
    return _definitions("Response").get(command, "Response")


def problems(message: Mapping[str, Any]) -> list[str]:
    """What is wrong with a message by the schema; nothing where there is no schema."""
    if schema() is None:
        return []
    name = definition_of(message)
    return [
        f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in _validator(name).iter_errors(message)
    ]


def is_standard(event: str) -> bool:
    """Whether DAP has an event of that name."""
    return schema() is None or f"event {event}" in _definitions("Event")


def arguments_of_requests() -> dict[str, list[str]]:
    """The names of the arguments of each request that there is; nothing where there is no schema."""
    definitions = (schema() or {}).get("definitions", {})
    return {
        command: list(definitions.get(f"{name.removesuffix('Request')}Arguments", {}).get("properties", {}))
        for command, name in _definitions("Request").items()
    }
