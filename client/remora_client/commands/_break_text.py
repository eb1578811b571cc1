"""Breakpoints in the form that commands give them: as JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client.render import breakpoint_lines, placed_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora_client._fragments import Fragments
    from remora_client._model import Breakpoint
    from remora_client.commands._context import Context

__all__ = ["breakpoint_data", "breakpoint_text", "listed_data", "placed_text"]


def breakpoint_data(each: Breakpoint) -> dict[str, Any]:
    """The JSON form of `break`."""
    data: dict[str, Any] = {
        "id": each.number,
        "verified": each.verified,
        "path": each.bound_path or each.path,
        "line": each.bound_line or each.line,
    }
    if each.bound_column:
        data["column"] = each.bound_column
    if each.note():
        data["message"] = each.note()
    return data


def listed_data(ctx: Context, each: Breakpoint) -> dict[str, Any]:
    """The JSON form of a row of `breakpoints`."""
    data = breakpoint_data(each) | {"enabled": each.enabled, "hits": ctx.session.hits.get(each.number, 0)}
    for key, value in (
        ("function", each.function),
        ("at", "" if each.at == "call" else each.at),
        ("condition", each.condition),
        ("hitCondition", each.hit_condition),
        ("ignore", each.ignore),
        ("logMessage", each.log_message),
        ("name", each.name),
        ("thread", each.thread),
        ("task", each.task),
        ("after", each.after),
    ):
        if value:
            data[key] = value
    if each.temporary:
        data["temporary"] = True
    return data


def breakpoint_text(ctx: Context, breakpoints: Sequence[Breakpoint]) -> Fragments:
    """The lines that show them."""
    known = ctx.session.breakpoints
    return breakpoint_lines(
        breakpoints, hits=ctx.session.hits, extra=ctx.on_hit, among=known, width=ctx.width
    )


def placed_text(ctx: Context, each: Breakpoint) -> Fragments:
    """What a person sees when a breakpoint was set: its number first."""
    return placed_line(each, among=ctx.session.breakpoints, width=ctx.width)
