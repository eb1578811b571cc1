"""Commands about the options: config."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from remora_client._fragments import hanging, table
from remora_client._text import visible
from remora_client.commands._config import save_setting, settings_file, trust_project
from remora_client.commands._settings import Settings
from remora_client.commands._table import CommandError, Result, command

if TYPE_CHECKING:
    from remora_client.commands._context import Context

__all__ = ["options"]


@command(
    "config",
    "show",
    group="session",
    usage="[OPTION [VALUE] | -list | -save [OPTION VALUE] | -trust]",
    argument="option",
)
async def config(ctx: Context, arguments: str) -> Result:
    """Show the options, or change one for this session; -save OPTION VALUE: and for those to come.

    -save alone keeps all that you have changed. The file is settings.toml in your configuration folder; a
    project may have .remora.toml and .remorarc, which are used once you have said that you trust them; -trust
    says so of this folder's as they are now.
    """
    word, _, rest = arguments.partition(" ")
    if word in ("", "-list"):
        return options(ctx)
    if word == "-trust":
        names = trust_project(os.getcwd())
        told = f"{' and '.join(names)}: used from the next session on." if names else "This folder has none."
        return Result({"trusted": names}, [("", f"{told}\n")])
    if word == "-save":
        return _save(ctx, rest.strip())
    if word.startswith("-"):
        raise CommandError(f"config has no {word}.", "-list, -save or -trust")
    name, value = word, rest.strip().removeprefix("=").strip()
    if name not in Settings.names():
        raise CommandError(f"There is no option {visible(name)}.", f"Options: {', '.join(Settings.names())}.")
    if value:
        ctx.settings.change(name, value)
    return _one(ctx, name)


def _save(ctx: Context, rest: str) -> Result:
    name, _, value = rest.partition(" ")
    if name and not value.strip():
        value = next((row[1] for row in ctx.settings.rows() if row[0] == name), "")
    if name:
        ctx.settings.change(name, value.strip())
        changed = [(name, value.strip())]
    else:
        usual = {row[0]: row[1] for row in Settings().rows()}
        changed = [(row[0], row[1]) for row in ctx.settings.rows() if row[1] != usual[row[0]]]
    for each in changed:
        save_setting(*each)
    told = ", ".join(f"{key} = {text}" for key, text in changed) or "nothing: all is as it comes"
    return Result({"file": str(settings_file()), "saved": dict(changed)}, [("", f"Saved: {told}.\n")])


def _one(ctx: Context, name: str) -> Result:
    value = next(row[1] for row in ctx.settings.rows() if row[0] == name)
    return Result({"option": name, "value": value}, [("class:name", name), ("", f" is {value}\n")])


def options(ctx: Context) -> Result:
    """All of them, with their values and meanings."""
    rows = ctx.settings.rows()
    text = hanging(
        table(
            [[[("class:name", name)], [("", value)], [("class:dim", about)]] for name, value, about in rows]
        ),
        ctx.width,
    )
    text.append(("class:dim", "set OPTION VALUE changes one for this session; config -save keeps it.\n"))
    return Result({name: value for name, value, _ in rows}, text)
