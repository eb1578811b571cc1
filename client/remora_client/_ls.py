"""`remora ls`: the processes that can be debugged, behind some qualifiers or on this machine.

All qualifiers are asked at once; one that fails costs the others nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from remora_client._connect import connect
from remora_client._errors import ClientError, NotARemora
from remora_client._foreign import NO_AUTHENTICATION, foreign_name
from remora_client._options import ConnectOptions, from_arguments
from remora_client._targets import local_processes
from remora_client._text import clip, visible
from remora_protocol import Qualifier, parse_qualifier

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from remora_protocol import ProcessInfo

__all__ = ["run", "table"]

_WATCH_SECONDS = 1.0
_COLUMNS = ("PID", "NAME", "PYTHON", "USER", "STATE")
_GAP = "  "
_LEAST_NAME = 8


@dataclass(frozen=True)
class Answer:
    """What came of one qualifier."""

    place: str
    processes: list[ProcessInfo] = field(default_factory=list)
    error: ClientError | None = None
    server: str = ""  # a known debug adapter that is no Remora


def run(arguments: Namespace) -> int:
    """List once, or with --watch until Ctrl-C."""
    options = from_arguments(arguments)
    if arguments.timeout is not None:
        options = replace(options, timeout=arguments.timeout)
    qualifiers = [parse_qualifier(each) for each in arguments.qualifiers]
    if arguments.watch:
        return asyncio.run(_watch(qualifiers, options, as_json=arguments.json))
    answers = asyncio.run(_ask_all(qualifiers, options))
    _print(answers, as_json=arguments.json)
    return next((each.error.exit_code for each in answers if each.error is not None), 0)


async def _ask_all(qualifiers: Sequence[Qualifier], options: ConnectOptions) -> list[Answer]:
    if not qualifiers:
        return [Answer("", await local_processes(options.timeout, _tell_silent))]
    return list(await asyncio.gather(*(_ask(each, options) for each in qualifiers)))


def _tell_silent(pid: int, why: str) -> None:
    first = visible(why.splitlines()[0])
    print(f"remora: process {pid} is there, and gives no answer. {first}", file=sys.stderr)


async def _ask(qualifier: Qualifier, options: ConnectOptions) -> Answer:
    place = str(replace(qualifier, pid=None))
    try:
        link = await connect(qualifier, options)
        try:
            server = foreign_name(link.rpc.head)
            if not link.is_remora and server:
                return Answer(place, server=server)
            if not link.is_remora:
                raise NotARemora(
                    f"{place} is a debug adapter, but no Remora: it has no list of processes.",
                    "It may still be attached to: remora attach " + place,
                )
            processes = await link.processes()
        finally:
            await link.close()
    except ClientError as error:
        return Answer(place, error=error)
    if qualifier.pid is not None:
        processes = [each for each in processes if each["pid"] == qualifier.pid]
    return Answer(place, sorted(processes, key=lambda each: each["pid"]))


def _print(answers: Sequence[Answer], *, as_json: bool) -> None:
    if as_json:
        rows = [each for answer in answers for each in answer.processes]
        print(json.dumps(rows, indent=2), flush=True)
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
        for answer in answers:
            if len(answers) > 1:
                print(f"{answer.place}:")
            if answer.server:
                print(f"{answer.place} is {answer.server}: one process, {NO_AUTHENTICATION}.")
                print(f"{_GAP}remora attach {answer.place}")
            elif answer.error is None:
                print("\n".join(table(answer.processes, width)) or _nothing(answer.place))
            elif len(answers) > 1:  # beside the answers, so that it is seen which one failed
                print(f"{_GAP}{str(answer.error).splitlines()[0]}")
        sys.stdout.flush()
    for answer in answers:
        if answer.error is not None:
            print(f"remora: {answer.error}", file=sys.stderr)


def _nothing(place: str) -> str:
    where = f"behind {place}" if place else "of yours on this machine"
    return f"No process {where} can be debugged now. (A program calls remora.enable_attach() for that.)"


def table(processes: Sequence[ProcessInfo], width: int) -> list[str]:
    """A head line and one line a process, at most `width` columns wide (0: as wide as it gets)."""
    if not processes:
        return []
    rows = [_COLUMNS, *(_row(each) for each in processes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width:
        # First the state gives way (who is attached is long), then the name.
        for column, least in ((4, len("running")), (1, _LEAST_NAME), (3, 4), (2, 6)):
            excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
            if excess > 0:
                widths[column] = max(least, widths[column] - excess)
    lines = [
        _GAP.join(clip(text, column).ljust(column) for text, column in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [clip(line, width) for line in lines] if width else lines


def _row(process: ProcessInfo) -> tuple[str, ...]:
    python = process["version"]
    if process["implementation"].lower() != "cpython":
        python = f"{process['implementation']} {python}"
    state = process["state"]
    if process["attachedBy"]:
        state += f", attached by {process['attachedBy']}"
    return (str(process["pid"]), *map(visible, (process["name"], python, process["user"], state)))


async def _watch(qualifiers: Sequence[Qualifier], options: ConnectOptions, *, as_json: bool) -> int:
    """Ask again every second, and print what is new; on a terminal, in place of the old."""
    before: object = None
    terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb" and not as_json
    while True:
        answers = await _ask_all(qualifiers, options)
        now = [(each.place, each.processes, str(each.error)) for each in answers]
        if now != before:
            if terminal:
                sys.stdout.write("\x1b[H\x1b[2J")
            _print(answers, as_json=as_json)
            before = now
        await asyncio.sleep(_WATCH_SECONDS)
