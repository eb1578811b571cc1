"""`remora attach`: from its arguments to a session with a prompt, and out again."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import sys
import threading
from typing import TYPE_CHECKING

from remora_client._errors import UsageError
from remora_client._groups._feeds import are_many
from remora_client._groups._hosts import given as targets_given
from remora_client._interruptible import interruptible
from remora_client._options import AttachOptions, attach_options, connect_options
from remora_client._sessions._session import Session
from remora_client._targets import open_session
from remora_client._text import visible, visible_block
from remora_client.commands import given_commands, load_config, load_own
from remora_client.repl.app import Repl
from remora_client.repl.banner import choice
from remora_client.repl.printer import Printer, is_dumb, wants_color
from remora_client.repl.terminal import FullFace, PlainFace
from remora_protocol import parse_qualifier

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence

    from remora_client._model import Breakpoint
    from remora_client.commands import Config, Context
    from remora_client.repl.terminal import Face
    from remora_protocol import ProcessInfo

__all__ = ["attach", "open_face", "run_sessions"]

# Not the port at which programs listen: both may be on one machine.
_LISTEN_PORT = 5679


def attach(arguments: Namespace) -> int:
    """Attach and run the prompt. Gives the exit code."""
    load_own(lambda text: print(f"remora: {text}", file=sys.stderr))
    given = given_commands(arguments.file, arguments.commands)
    return asyncio.run(_attach(arguments, [each.text for each in given]))


async def _attach(arguments: Namespace, given: list[str]) -> int:
    asked = _ask_trust if sys.stdin.isatty() and sys.stdout.isatty() else None
    config = load_config(os.getcwd(), lambda text: print(f"remora: {text}", file=sys.stderr), asked)
    if _has_terminal():
        threading.Thread(target=_load_line_editor, name="remora-import").start()
    else:
        _collect_again()
    printer = Printer(color=wants_color(sys.stdout, forbidden=arguments.no_color))
    if arguments.listens:
        return await _debug(await _listen(arguments), arguments, printer, config, given)
    targets = [each.text for each in targets_given(arguments.targets)]
    if arguments.follow is None:
        alone = not are_many(targets, everyone=arguments.all)
        arguments.follow = dict(config.options).get("follow", "off") if alone else "off"
    if not are_many(targets, everyone=arguments.all or arguments.follow != "off"):
        session = await _open(targets[0] if targets else None, arguments)
        return await _debug(session, arguments, printer, config, given)
    from remora_client._groups._opening import open_group

    group = await open_group(
        targets,
        arguments,
        lambda text: print(f"remora: {text}", file=sys.stderr),
        _choose if sys.stdin.isatty() else None,
    )
    try:
        member = group.first()
        assert member is not None
        repl = Repl(member.session, printer, group, member)
        config.apply(repl.ctx)
        return await repl.run(open_face(repl), [*config.commands, *given])
    finally:
        await group.detach()


async def run_sessions(
    session: Session,
    printer: Printer,
    prepare: Callable[[Context], None],
    given: Sequence[str] = (),
    *,
    greet: bool = True,
) -> int:
    """The prompt for one program, and then for each that the person turns to. Gives the last exit code.

    Args:
        prepare: sets each session up.
    """
    before: Context | None = None
    while True:
        try:
            repl = Repl(session, printer, before=before)
            prepare(repl.ctx)
            code = await repl.run(open_face(repl), given, greet=greet)
        finally:
            await session.detach()
        if repl.ctx.following is None:
            return code
        session, before, given, greet = repl.ctx.following, repl.ctx, (), True


async def _debug(
    session: Session, arguments: Namespace, printer: Printer, config: Config, given: list[str]
) -> int:
    async def reach(target: str, breakpoints: Sequence[Breakpoint]) -> Session:
        how = AttachOptions(arguments.source)
        return await open_session(target, connect_options(arguments), how, breakpoints=breakpoints)

    def prepare(ctx: Context) -> None:
        ctx.reach = reach
        if ctx.session is session:
            config.apply(ctx)

    return await run_sessions(session, printer, prepare, [*config.commands, *given])


async def _listen(arguments: Namespace) -> Session:
    """Wait for a program that calls."""
    qualifier = parse_qualifier(arguments.target or "tcp://127.0.0.1", _LISTEN_PORT)
    if not qualifier.is_network:
        raise UsageError("A program can call tcp:// and tcps:// only.")

    def listening(place: str) -> None:
        print(f"Waiting at {place} for a program that calls remora.connect(). Ctrl-C ends it.", flush=True)

    from remora_client._connecting._called import wait_for_call

    link = await wait_for_call(qualifier, connect_options(arguments), listening)
    try:
        return await Session.attach(link, how=attach_options(arguments))
    except BaseException:
        await link.close()
        raise


async def _open(target: str | None, arguments: Namespace) -> Session:
    return await open_session(
        target,
        connect_options(arguments),
        attach_options(arguments),
        pid=arguments.pid,
        name=arguments.name,
        choose=_choose if sys.stdin.isatty() else None,
    )


def _ask_trust(folder: str, files: Mapping[str, str]) -> bool:
    """Ask whether a project's settings and commands are to be used."""
    print(f"{' and '.join(files)} of {visible(folder)} may set options and run commands.")
    while True:
        try:
            with interruptible():
                typed = input("Use them, now and until they change? [y/N/s: show them] ").strip().lower()
        except EOFError:
            raise KeyboardInterrupt from None
        if typed != "s":
            return typed in ("y", "yes")
        for name, text in files.items():
            print(f"--- {name}\n{visible_block(text.rstrip())}")


def _choose(processes: Sequence[ProcessInfo]) -> int:
    """Ask which of several processes is meant."""
    print(f"{len(processes)} processes match:")
    print("\n".join(choice(list(processes))))
    while True:
        try:
            with interruptible():
                typed = input("Which one? ").strip()
        except EOFError:
            raise KeyboardInterrupt from None
        if typed.isdecimal() and 1 <= int(typed) <= len(processes):
            return processes[int(typed) - 1]["pid"]
        if typed.isdecimal() and int(typed) in [each["pid"] for each in processes]:
            return int(typed)
        print("The number in front of it, please, or Ctrl-C.")


def open_face(repl: Repl) -> Face:
    """How to talk to the person: with prompt_toolkit on a terminal, line by line elsewhere."""
    return FullFace(repl) if _has_terminal() else PlainFace(repl, is_person=sys.stdin.isatty())


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and not is_dumb()


def _load_line_editor() -> None:
    """Import what `open_face` will: a third of what the prompt needs, while the other end is waited for."""
    try:
        importlib.import_module("remora_client.repl.line_editor")
    except ImportError:
        pass  # `open_face` will say so
    finally:
        _collect_again()


def _collect_again() -> None:
    """What has been imported stays, so that no collection needs to look through it."""
    gc.freeze()
    gc.enable()
