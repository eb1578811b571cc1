"""What a person can change with ``set OPTION VALUE``. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import lru_cache

from remora_client.commands._table import CommandError

__all__ = ["Settings"]

_CHOICES = {
    "bare_names": ("command", "variable", "ask"),
    "repeat": ("safe", "all", "off"),
    "bt_order": ("newest-last", "newest-first"),
    "pager": ("on", "off"),
    "notes": ("on", "off"),
    "sticky": ("on", "off"),
    "mouse": ("on", "off"),
    "background": ("auto", "light", "dark"),
    "numbers": ("off", "on"),
    "keys": ("emacs", "vi"),
    "keep_breakpoints": ("off", "on"),
    "stop_mode": ("all", "one"),
    "step_mode": ("all", "one"),
    "follow": ("off", "list", "attach"),
}


@lru_cache(maxsize=1)
def themes() -> tuple[str, ...]:
    """The names that `theme` takes: the terminal's own colours, and the styles of pygments."""
    from pygments.styles import get_all_styles

    return ("terminal", *sorted(get_all_styles()))


@dataclass
class Settings:
    """The options of one session; names with a blank or a hyphen become attributes with an underscore."""

    context: int = field(default=11, metadata={"help": "lines of source shown at a stop"})
    bare_names: str = field(default="command", metadata={"help": "what a bare word is that is both"})
    repeat: str = field(default="safe", metadata={"help": "what an empty line may run again"})
    bt_order: str = field(default="newest-last", metadata={"help": "the order of a stack"})
    pager: str = field(default="on", metadata={"help": "stop at each screenful of a long listing"})
    notes: str = field(default="on", metadata={"help": "values of variables beside the source"})
    numbers: str = field(default="off", metadata={"help": "show by which $1, $2 a result can be named"})
    keys: str = field(default="emacs", metadata={"help": "what the keys do while you type"})
    background: str = field(default="auto", metadata={"help": "what the colours have to stand out from"})
    theme: str = field(default="terminal", metadata={"help": "the colours, or a style of pygments"})
    keep_breakpoints: str = field(
        default="off", metadata={"help": "save this project's as they change, load them when you come"}
    )
    stop_mode: str = field(default="all", metadata={"help": "which threads a stop holds: all, or its own"})
    step_mode: str = field(
        default="all", metadata={"help": "which of the threads that are held run during a step"}
    )
    follow: str = field(
        default="off",
        metadata={"help": "what comes of a program that you attach to, as --follow"},
    )
    sticky: str = field(default="off", metadata={"help": "show the whole function at each stop"})
    mouse: str = field(default="on", metadata={"help": "clicks and the wheel work in a layout"})

    @staticmethod
    def names() -> list[str]:
        """The options as a person writes them."""
        return [each.name.replace("_", "-") for each in fields(Settings)]

    @staticmethod
    def choices(name: str) -> tuple[str, ...]:
        """What an option may be; () for a number."""
        return themes() if name == "theme" else _CHOICES.get(name.replace("-", "_"), ())

    def rows(self) -> list[tuple[str, str, str]]:
        """Each option's name, value and meaning."""
        return [
            (each.name.replace("_", "-"), str(getattr(self, each.name)), each.metadata["help"])
            for each in fields(self)
        ]

    def change(self, name: str, value: str) -> None:
        """Set one option. Raises `CommandError` for an unknown option or value."""
        attribute = name.replace("-", "_")
        if name not in self.names():
            raise CommandError(f"There is no option {name}.", f"Options: {', '.join(self.names())}.")
        choices = self.choices(name)
        if not choices:
            if not value.isdecimal() or not 1 <= int(value) <= 999:
                raise CommandError(f"{name} is a number from 1 to 999.")
            self.context = int(value)
        elif value in choices:
            setattr(self, attribute, value)
        else:
            raise CommandError(f"{name} is one of {', '.join(choices)}.")
