"""`remora exec`: debugger commands without a terminal, in order, until one fails; then detach.

With --json every line of standard output is one object: `{"command", "ok", "result" | "error", "stop"?}` for
each command and `{"event", "body"}` for each event in between. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any, ParamSpec, TextIO

from remora_client._errors import ClientError, Gone, TimedOut, is_of_output
from remora_client._groups._feeds import are_many
from remora_client._groups._hosts import given as targets_given
from remora_client._groups._opening import open_group
from remora_client._options import attach_options, connect_options
from remora_client._sessions._state import named_breakpoints
from remora_client._subcommands._hooks import Hooks
from remora_client._targets import open_session, shown
from remora_client._text import visible_block
from remora_client.commands import (
    CommandError,
    Context,
    Given,
    Result,
    called_lines,
    classify_script,
    commands_for,
    error_text,
    expanded,
    given_commands,
    load_own,
    lookup,
    note_line,
    run_line,
    stop_data,
    stop_lines,
    wait_after,
)
from remora_client.repl._marking import Marker, host_of
from remora_client.repl.printer import Printer, output_lines, wants_color
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from remora_client._groups._group import Member
    from remora_client._model import Stop
    from remora_client._sessions._session import Session

__all__ = ["Script", "run"]

_ON_HIT_DEPTH = 100
_CONNECTING = 10.0  # seconds that connecting may take in any case
_GRACE = 1.0
_LONGER = "A greater --timeout gives it more."
P = ParamSpec("P")


def run(arguments: Namespace) -> int:
    """Attach, run the commands, detach. Gives the exit code."""
    stream = sys.stdout
    # What a person's own commands print is none of ours.
    with contextlib.redirect_stdout(sys.stderr if arguments.json else stream):
        load_own(lambda text: print(f"remora: {text}", file=sys.stderr))
        return asyncio.run(_run(arguments, given_commands(arguments.file, arguments.commands), stream))


async def _run(arguments: Namespace, given: list[Given], stream: TextIO) -> int:
    deadline = None
    if arguments.timeout is not None:
        deadline = asyncio.get_running_loop().time() + arguments.timeout
        arguments.connect_timeout = min(arguments.timeout, _CONNECTING)
    targets = [each.text for each in targets_given(arguments.targets)]
    try:
        # Connecting has the same time, and says itself how far it came: it is to be the first to give up.
        async with asyncio.timeout_at(deadline and deadline + _GRACE):
            arguments.follow = arguments.follow or "off"  # a script does the same everywhere: no settings
            if are_many(targets, everyone=arguments.all or arguments.follow != "off"):
                ctx = await _open_group(targets, arguments)
            else:
                ctx = Context(await _open(targets[0] if targets else None, arguments))
    except TimeoutError:
        place = ", ".join(map(shown, targets)) or "a process"
        raise TimedOut(f"Not attached to {place} within {arguments.timeout:g} s.") from None
    printer = Printer(stream, color=wants_color(stream, forbidden=arguments.no_color))
    stop = ctx.session.stop
    if stop is None or stop.was_there or arguments.stop_on_entry or not ctx.session.link.is_remora:
        ctx.shown_stop = ctx.session.state.stops  # one that was there, or that we asked for, is no news
    hooks = Hooks.from_arguments(arguments)
    script = Script(ctx, printer, as_json=arguments.json, deadline=deadline, hooks=hooks)
    group, session = ctx.group, ctx.session
    remove = script.listen()
    try:
        try:
            await hooks.arm(session, group.shared if group is not None else session)
        except (ClientError, RequestFailed) as error:
            script.tell_failure(Given("(before watching)", ""), error)
            return _exit_code(error)
        code = await script.run(given)
        if hooks and not code:
            code = await script.stay()
        return code or await script.check_input()
    except asyncio.CancelledError:
        if script.unheard is None:
            raise
        raise script.unheard from None
    finally:
        remove()
        script.flush()
        await (group or session).detach()


async def _open(target: str | None, arguments: Namespace) -> Session:
    return await open_session(
        target,
        connect_options(arguments),
        attach_options(arguments),
        pid=arguments.pid,
        name=arguments.name,
    )


async def _open_group(targets: list[str], arguments: Namespace) -> Context:
    group = await open_group(targets, arguments, lambda text: print(f"remora: {text}", file=sys.stderr))
    for each in group.members.values():
        each.session.told = each.session.state.stops
    member = group.first()
    assert member is not None
    return Context(member.session, group, member)


class Script:
    """Runs commands one after the other, and tells what came of each.

    Attributes:
        unheard: what went wrong when an event was to be told; the task that listens is cancelled then.
    """

    def __init__(
        self,
        ctx: Context,
        printer: Printer,
        *,
        as_json: bool = False,
        deadline: float | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self.hooks = hooks or Hooks()
        self.ctx = ctx
        self.printer = printer
        self.as_json = as_json
        self.deadline = deadline
        self.host = host_of(ctx.session)
        self.marker = Marker(printer.print)
        self.unheard: OSError | None = None
        self._task: asyncio.Task[Any] | None = None
        self._left = False
        self._ran: list[str] = []
        ctx.past = lambda: self._ran
        ctx.show = None if as_json else self._show

    def listen(self) -> Callable[[], None]:
        """Tell what the program does, or the programs do, from now on. Gives what ends that."""
        self._task = asyncio.current_task()
        if self.ctx.group is None:
            return self.ctx.session.listen(self._heard(self.on_event))
        return self.ctx.group.listen(self._heard(self.on_member_event), self._heard(self._note))

    def _heard(self, tell: Callable[P, None]) -> Callable[P, None]:
        """The same, and the script ends when it can be told to nobody: a full disk, `| head`."""

        def told(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                tell(*args, **kwargs)
            except OSError as error:
                if not is_of_output(error):
                    raise
                if self.unheard is None and self._task is not None:
                    self.unheard = error
                    self._task.cancel()

        return told

    def flush(self) -> None:
        """Show what came without the end of its line."""
        self.marker.flush()

    async def run(self, given: list[Given]) -> int:
        """Run them all, or up to the first that fails. Gives the exit code."""
        for each in given:
            try:
                async with asyncio.timeout_at(self.deadline):
                    for text in expanded(self.ctx, each.text):
                        if not self._left:
                            await self._command(text)
            except Exception as error:  # one that is not of FAILURES is a bug: a sentence, too
                if is_of_output(error):
                    raise
                failure: BaseException = self._too_late() if isinstance(error, TimeoutError) else error
                self.tell_failure(each, failure)
                return _exit_code(failure)
            if self._left:
                break
        return 0

    async def stay(self) -> int:
        """Run the hooks at every stop, until the program ends or the time is up, or a hook fails."""
        ctx = self.ctx
        while not self._left and (ctx.group is not None or not ctx.session.state.over):
            try:
                async with asyncio.timeout_at(self.deadline):
                    if ctx.session.stop is not None and ctx.shown_stop == ctx.session.state.stops:
                        await ctx.session.resume(ctx.session.held_alone)
                    stop = await wait_after(ctx, Result(resumed=True, anyone=True))
            except TimeoutError:
                return 0  # so long it was to watch
            except (ClientError, RequestFailed) as error:  # gone, or it may not be let go on by us
                self.tell_failure(Given("(watching)", ""), error)
                return _exit_code(error)
            if stop is None:
                break
            try:
                async with asyncio.timeout_at(self.deadline):
                    await self._on_hit(stop)
            except TimeoutError:
                return 0
            except Exception as error:
                if is_of_output(error):
                    raise
                self.tell_failure(Given("(at a stop)", ""), error)
                return _exit_code(error)
        return 0

    async def check_input(self) -> int:
        """Fail when a line that was given to a program is not read, for leaving takes it back."""
        group = self.ctx.group
        sessions = [self.ctx.session] if group is None else [each.session for each in group.members.values()]
        try:
            unread = 0 if self._left else sum([await each.unread_input() for each in sessions])
        except (ClientError, RequestFailed):
            return 0  # gone meanwhile
        if not unread:
            return 0
        lines = "a line" if unread == 1 else f"{unread} lines"
        text = f"The program stands still, and has not read {lines} that stdin gave; leaving takes that back."
        remedy = "End with continue, or give the line while it runs."
        self.tell_failure(Given("(at the end)", ""), CommandError(text, remedy))
        return 1

    def on_member_event(self, member: Member, event: str, body: dict[str, Any]) -> None:
        """Tell what one of the programs does in between, and which."""
        if event in ("remora/joined", "remora/left"):
            if self.as_json:
                told = {"number": member.number, "name": member.name}
                self._write({"event": event, "body": told, "pid": member.pid, "host": member.host})
            else:
                self.marker.flush(member)
                does = "joined" if event == "remora/joined" else "left"
                self.printer.print([("class:dim", f"Process {member.number} {does}: {member}\n")])
        elif self.as_json:
            self._tell(member.session, event, body, {"pid": member.pid, "host": member.host})
        elif event == "output" and body.get("category") != "telemetry":
            category = str(body.get("category", "console"))
            self.marker.output(member, category, str(body.get("output", "")))
        elif event == "remora/note":
            self._note(f"{member}: {body.get('text', '')}")

    def _note(self, text: str) -> None:
        """Something worth saying. Ours, most often; but a server may have an event of that name, too."""
        if self.as_json:
            print(f"remora: {visible_block(text)}", file=sys.stderr)
        else:
            self.printer.print([("class:warning", f"{visible_block(text)}\n")])

    def _tell(self, session: Session, event: str, body: dict[str, Any], who: dict[str, Any]) -> None:
        if event == "remora/note":
            self._note(str(body.get("text", "")))
        elif not event.startswith("remora/") or event == "remora/called":
            named = named_breakpoints(session.state, event, body)
            ours = {} if named is None else {"breakpoints": [each.number for each in named]}
            self._write({"event": event, "body": body, **ours, **who})

    def on_event(self, event: str, body: dict[str, Any]) -> None:
        """Tell what the program does in between."""
        if self.as_json:
            self._tell(self.ctx.session, event, body, {"pid": self._pid, "host": self.host})
        elif event == "output" and body.get("category") != "telemetry":
            text = str(body.get("output", ""))
            self.printer.print(output_lines(str(body.get("category", "console")), text))
        elif event == "remora/called":
            self.printer.print(called_lines(body))
        elif event == "remora/note":
            self._note(str(body.get("text", "")))

    @property
    def _pid(self) -> int | None:
        process = self.ctx.session.process
        return process["pid"] if process is not None else None

    def _who(self) -> dict[str, Any]:
        """Which process a line is about."""
        member = self.ctx.member
        if member is not None:
            return {"pid": member.pid, "host": member.host}
        return {"pid": self._pid, "host": self.host}

    async def _command(self, text: str) -> None:
        if self.ctx.group is not None and self.ctx.session.state.over:
            other = self.ctx.group.first()
            if other is None:
                raise Gone("all processes have ended.")
            self.ctx.choose(other)
        if self.ctx.session.state.phase == "gone":
            await self.ctx.session.wait_for_stop()  # raises what happened to it
        if self.ctx.session.state.phase == "ended":
            raise Gone("the program has ended.")
        self._ran.append(text)
        line = classify_script(text)
        result = await run_line(self.ctx, line)
        note_line(self.ctx, line)
        self.printer.transcript = self.ctx.transcript
        self._left = self._left or result.left
        stop = None
        if result.resumed:
            stop = await wait_after(self.ctx, result)
        await self._succeeded(text, result, stop)
        if stop is not None:
            await self._on_hit(stop)

    async def _show(self, result: Result) -> None:
        """What one command of a file gave."""
        await self._succeeded("", result, await wait_after(self.ctx, result) if result.resumed else None)

    async def _succeeded(self, text: str, result: Result, stop: Stop | None) -> None:
        ended = result.resumed and stop is None
        data = result.data
        if ended:
            data = {"ended": True, "exitCode": self.ctx.session.state.exit_code}
        if self.as_json:
            line = {"command": text, "ok": True, "result": data, **self._who()}
            self._write(line | ({"stop": stop_data(self.ctx.session, stop)} if stop is not None else {}))
            return
        self.printer.print(result.text)
        if stop is not None:
            if self.ctx.member is not None:
                self.marker.flush()
                shown = f"Process {self.ctx.member.number}, {self.ctx.member}:\n"
                self.printer.print([("class:heading", shown)])
            self.printer.print(await stop_lines(self.ctx, stop))
        elif ended:
            over = "The program ended.\n" if self.ctx.group is None else "All processes have ended.\n"
            self.printer.print([("class:dim", over)])

    async def _on_hit(self, stop: Stop) -> None:
        """The commands that were left for this breakpoint. They may let the program run, and stop again."""
        hooked = await self.hooks.commands_for(self.ctx.session, stop) if self.hooks else []
        given = [part for text in hooked for part in expanded(self.ctx, text)]
        for text in [*commands_for(self.ctx, stop), *given]:
            if self._left or self.ctx.session.state.over:
                return
            self.ctx.depth += 1
            try:
                if self.ctx.depth > _ON_HIT_DEPTH:
                    raise CommandError("The commands of breakpoints call each other without an end.")
                await self._command(text)
            finally:
                self.ctx.depth -= 1

    def _too_late(self) -> CommandError:
        if self.ctx.session.state.phase == "running":
            found = lookup(self._ran[-1].split()[0]) if self._ran else None
            if found is not None and found.name == "stdin":
                helps = "Who waits for a line already gets it from the program's own input."
                return CommandError("The line was not read in the time given; the program runs on.", helps)
            return CommandError("No stop in the time given; the program runs on.", _LONGER)
        return CommandError("No answer in the time given; it was given up.", _LONGER)

    def tell_failure(self, given: Given, error: BaseException) -> None:
        """Say what went wrong, and where that was given."""
        text = error_text(error)
        if self.as_json:
            self._write({"command": given.text, "ok": False, "error": text, **self._who()})
        else:
            self.printer.stream.flush()
            print(f"remora: {given.where}{given.text}: {text}", file=sys.stderr)

    def _write(self, line: dict[str, Any]) -> None:
        self.printer.stream.write(json.dumps(line) + "\n")
        self.printer.stream.flush()


def _exit_code(error: BaseException) -> int:
    return error.exit_code if isinstance(error, ClientError) else 1
