"""`remora dap`: be a debug adapter for an editor, on standard input and output or on a loopback port."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from remora_client._bridge import Adapter, Editor, Wishes, listen, parse_listen, stdio_editor
from remora_client._errors import UsageError
from remora_client._options import connect_options
from remora_client._snapshot import is_snapshot
from remora_client._targets import via
from remora_client.commands import load_own, own_renderers
from remora_protocol import parse_qualifier

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """Serve until the editor has left (on a port: until interrupted). Gives the exit code."""
    # Standard input is the editor's: nobody can be asked for anything.
    options = replace(connect_options(arguments), ask_secret=None, ask_certificate=None)
    target, pid = arguments.target, arguments.pid
    file = target if target is not None and is_snapshot(target) else None
    local = target is not None and target.isdecimal()
    way = None if target is None or local or file else parse_qualifier(target)
    if options.via is not None:
        if way is not None or file is not None:
            raise UsageError("With --via the way is known: name a process at its other end, or nothing.")
        way = via(options.via)
    wishes = Wishes(
        options,
        target=way,
        snapshot=file,
        pid=int(target) if local and pid is None else pid,
        name=arguments.name,
        source=tuple(arguments.source),
        forwarded={"force": True} if arguments.force else {},
    )
    if arguments.listen is not None:
        asyncio.run(_listen(parse_listen(arguments.listen), wishes))
    else:
        asyncio.run(_serve_stdio(wishes))
    return 0


async def _serve_stdio(wishes: Wishes) -> None:
    editor, finish = stdio_editor(wishes.options.trace)
    await _serve(editor, wishes)
    finish()


async def _serve(editor: Editor, wishes: Wishes) -> None:
    load_own(lambda text: print(f"remora: {text}", file=sys.stderr))
    await Adapter(editor, wishes, own_renderers).run()


async def _listen(place: tuple[str, int], wishes: Wishes) -> None:
    def ready(address: str) -> None:
        print(f"remora: a debug adapter listens on {address}", flush=True, file=sys.stdout)

    await listen(place, lambda editor: _serve(editor, wishes), ready, wishes.options.trace)
