"""How a person declares commands and renderers of their own: two decorators that mark functions. Pure.

`commands._own` finds the marked functions and puts them to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Declared", "command", "declared_in", "renderer"]

F = TypeVar("F", bound="Callable[..., Any]")
_MARK = "__remora__"


@record
class Declared:
    """What a decorator was told. A renderer has types, a command a name."""

    function: Callable[..., Any]
    name: str = ""
    aliases: tuple[str, ...] = ()
    usage: str = ""
    types: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The file that it is written in."""
        return self.function.__code__.co_filename


def command(name: str, *aliases: str, usage: str = "") -> Callable[[F], F]:
    """Make a function a command of the debugger; its docstring is the command's help.

    The function gets the session and the text behind the command's name. A plain function gets a
    `remora_client.Session`, and may take its time; a coroutine function gets a `remora_client.aio.Session`.
    What it returns is shown, and is the command's result in JSON: text, a `Value`, a list of them, or
    anything that JSON has. A `ClientError` that it raises is for the person to read; any other error is told
    with file and line.

    Args:
        name: what the command is called.
        aliases: other words for it.
        usage: its arguments, as help shows them.
    """

    def mark(function: F) -> F:
        setattr(function, _MARK, Declared(function, name, aliases, usage))
        return function

    return mark


def renderer(*types: str) -> Callable[[F], F]:
    """Make a function show the values of some types: it gets a `Value` and returns text.

    A plain function gets a `remora_client.Value`, a coroutine function a `remora_client.aio.Value`. None
    leaves the value as the program shows it.

    Args:
        types: names of types, `shop.orders.Money`, or just `Money`.
    """

    def mark(function: F) -> F:
        setattr(function, _MARK, Declared(function, types=types))
        return function

    return mark


def declared_in(found: object) -> Iterator[Declared]:
    """What a module declares, or what a function is declared as."""
    for each in (found, *vars(found).values()) if hasattr(found, "__dict__") else (found,):
        mark = getattr(each, _MARK, None) if callable(each) else None
        if isinstance(mark, Declared):
            yield mark
