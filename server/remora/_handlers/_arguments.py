"""A request's arguments, read with checks: what is wrong is answered by name, never with a traceback."""

from __future__ import annotations

from typing import Any

from remora_protocol import RequestFailed

__all__ = ["Arguments"]

_KINDS: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


class Arguments:
    """The arguments of one request, or an object inside them."""

    def __init__(self, command: str, values: dict[str, Any]) -> None:
        self.command = command
        self._values = values

    @property
    def all(self) -> dict[str, Any]:
        """Everything that was sent, unchecked."""
        return self._values

    def raw(self, name: str) -> dict[str, Any]:
        """An object inside, unchecked; required."""
        value: dict[str, Any] = self._get(name, dict, None)
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """A text; required unless there is a default."""
        value: str = self._get(name, str, default)
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """A whole number; required unless there is a default."""
        value: int = self._get(name, int, default)
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false."""
        value: bool = self._get(name, bool, default)
        return value

    def optional_text(self, name: str) -> str | None:
        """A text, or None when it is not there."""
        return self.text(name) if self._values.get(name) is not None else None

    def optional_number(self, name: str) -> int | None:
        """A whole number, or None when it is not there."""
        return self.number(name) if self._values.get(name) is not None else None

    def child(self, name: str) -> Arguments:
        """An object inside; an empty one when it is not there."""
        return Arguments(self.command, self._get(name, dict, {}))

    def children(self, name: str) -> list[Arguments]:
        """A list of objects; empty when it is not there."""
        return [Arguments(self.command, self._check(name, each, dict)) for each in self._get(name, list, [])]

    def texts(self, name: str) -> list[str]:
        """A list of texts; empty when it is not there."""
        return [self._check(name, each, str) for each in self._get(name, list, [])]

    def _get(self, name: str, kind: type, default: Any) -> Any:
        value = self._values.get(name)
        if value is None:  # DAP says to leave optional things out; some clients send null
            if default is None:
                raise RequestFailed("bad-request", f"{self.command} needs {name}, {_KINDS[kind]}.")
            return default
        return self._check(name, value, kind)

    def _check(self, name: str, value: Any, kind: type) -> Any:
        if type(value) is not kind:
            raise RequestFailed("bad-request", f"{self.command}: {name} has to be {_KINDS[kind]}.")
        return value
