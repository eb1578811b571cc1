"""Makes docs/api.md from the docstrings of `remora_client`. `--check` says whether the page is fresh."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
import textwrap
import typing
from pathlib import Path
from typing import Any

from equivalents import EQUIVALENTS, Reason

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "protocol"), str(ROOT / "client")]
TARGET = ROOT / "docs" / "api.md"

HEAD = """\
# The Python API

*Made from the docstrings by `scripts/gen_api.py`. [Scripts](scripting.md) is the guide to it.*

All of this is in `remora_client`. `remora_client.aio` has the same `attach`, `attach_all`, `processes`,
`Session`, `Sessions`, `Stop`, `Frame` and `Value` for asyncio: there every method that asks the program
something is a coroutine. Everything is typed.

"""

EQUIVALENT = """\
## From a command to Python

What does in Python what a command does at the prompt. Of `aio`, with `await` before what is called.

| command | Python |
| --- | --- |
"""

FUNCTIONS = ["attach", "attach_all", "processes"]
CLASSES = [
    "Session",
    "Sessions",
    "Stop",
    "Frame",
    "Value",
    "Breakpoint",
    "Explanation",
    "Function",
    "ExceptionFilter",
    "ExceptionInfo",
    "Thread",
    "Task",
    "Scope",
    "ObjectInfo",
    "Referrer",
    "Size",
    "LogRecord",
    "Source",
    "SourceText",
    "MappedFolder",
    "Whereabouts",
    "State",
    "ProcessInfo",
    "ConnectOptions",
]
OWN_COMMANDS = ["command", "renderer"]
ERRORS = ["ClientError", "ConnectError", "Gone", "RequestFailed"]


class Written:
    """An annotation that is shown as it is written."""

    def __init__(self, text: Any) -> None:
        self.text = in_full(str(text))

    def __repr__(self) -> str:
        return self.text


def in_full(annotation: str) -> str:
    """With all that there is to choose from in the place of our names for it, which nobody can import."""
    from remora_client._credentials._certificates import Answer
    from remora_client._model import EvaluateContext, Moment, StopMode

    text = annotation.replace("_model.", "")
    choices = {"Answer": Answer, "EvaluateContext": EvaluateContext, "Moment": Moment, "StopMode": StopMode}
    for name, choice in choices.items():
        text = re.sub(rf"\b{name}\b", str(choice).replace("typing.", ""), text)
    return text


def signature(name: str, function: Any) -> str:
    found = inspect.signature(function)
    parameters = [each for each in found.parameters.values() if not each.name.startswith(("self", "_"))]
    shown = found.replace(
        parameters=[each.replace(annotation=Written(each.annotation)) for each in parameters],
        return_annotation=Written(found.return_annotation),
    )
    text = f"{name}{shown}"
    if len(text) <= 100:
        return text
    first, _, rest = text.partition("(")
    inside, _, returns = rest.rpartition(")")
    parts = re.split(r", (?=\**\w+[:=,]|\*,|\*$)", inside)
    return first + "(\n" + "".join(f"    {part},\n" for part in parts) + ")" + returns


def code(text: str) -> str:
    return textwrap.indent(text, "    ") + "\n"


def prose(text: str) -> str:
    """A docstring as Markdown: its `Args` and `Raises` become lists."""
    lines: list[str] = []
    in_list = False
    for line in inspect.cleandoc(text).splitlines():
        heading = re.fullmatch(r"(Args|Raises|Attributes):", line)
        item = re.match(r"    (\S[^:]*): (.*)", line) if in_list else None
        if heading:
            in_list = True
            lines += [f"**{heading[1].replace('Args', 'Arguments')}**", ""]
        elif item:
            lines.append(f"- `{item[1]}`: {item[2]}")
        elif in_list and line.startswith("     "):
            lines[-1] += " " + line.strip()
        else:
            in_list = in_list and not line.strip()
            lines.append(line)
    return "\n".join(lines) + "\n"


def members(kind: type) -> list[tuple[str, Any]]:
    """What a class offers, its bases' included, in the order of the source."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith(("remora_client", "remora_protocol")):
            found.update(vars(base))
    return [
        (name, value)
        for name, value in found.items()
        if not name.startswith("_")
        and name not in ("from_dap", "to_dap", "of")
        and (inspect.isfunction(value) or isinstance(value, property))
    ]


def _type_name(hint: Any) -> str:
    text = (
        getattr(hint, "__name__", "") if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
    )
    return text.replace("typing.", "").replace("Optional[str]", "str | None").replace("|", "\\|")


def class_section(name: str, kind: type) -> list[str]:
    out = [f"### {name}\n", prose(kind.__doc__ or "")]
    if dataclasses.is_dataclass(kind):
        rows = [each for each in dataclasses.fields(kind) if not each.name.startswith("_")]
        types = {each.name: in_full(str(each.type)).replace("|", "\\|") for each in rows}
        out.append("| field | type |\n| --- | --- |")
        out.append("".join(f"| `{each.name}` | `{types[each.name]}` |\n" for each in rows))
    elif typing.is_typeddict(kind):
        hints = typing.get_type_hints(kind)
        out.append("| key | type |\n| --- | --- |")
        out.append("".join(f"| `{key}` | `{_type_name(hint)}` |\n" for key, hint in hints.items()))
    for member, value in members(kind):
        if not value.__doc__:
            raise SystemExit(f"gen_api.py: {name}.{member} has no docstring")
        if isinstance(value, property):
            returns = inspect.signature(value.fget).return_annotation if value.fget else ""
            out += [code(f"{member}: {in_full(str(returns))}"), prose(value.__doc__ or "")]
        else:
            out += [code(signature(member, value)), prose(value.__doc__ or "")]
    return out


def row(each: tuple[str, tuple[str, ...] | Reason]) -> str:
    name, does = each
    told = f"none: {does}" if isinstance(does, Reason) else ", ".join(f"`{text}`" for text in does)
    return f"| {name} | {told} |\n"


def page() -> str:
    import remora_client

    missing = set(remora_client.__all__) - {*FUNCTIONS, *CLASSES, *OWN_COMMANDS, *ERRORS, "__version__"}
    if missing:
        raise SystemExit(f"gen_api.py: {sorted(missing)} have no place in the page")
    out = [HEAD.rstrip() + "\n", "## Attaching\n"]
    for name in FUNCTIONS:
        function = getattr(remora_client, name)
        out += [f"### {name}\n", code(signature(name, function)), prose(function.__doc__ or "")]
    out.append("## Classes\n")
    for name in CLASSES:
        out += class_section(name, getattr(remora_client, name))
    out.append("## Commands and renderers of your own\n")
    for name in OWN_COMMANDS:
        function = getattr(remora_client, name)
        out += [f"### {name}\n", code(signature(name, function)), prose(function.__doc__ or "")]
    out.append("## Errors\n")
    for name in ERRORS:
        out += [f"### {name}\n", prose(getattr(remora_client, name).__doc__ or "")]
    out.append(EQUIVALENT + "".join(map(row, EQUIVALENTS.items())))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).rstrip() + "\n"


def main() -> int:
    text = page()
    if "--check" in sys.argv[1:]:
        fresh = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        print(f"{TARGET.name} is {'fresh' if fresh else 'stale: run scripts/gen_api.py'}")
        return 0 if fresh else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
