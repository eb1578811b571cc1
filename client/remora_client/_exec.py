"""`remora exec`: debugger commands without a terminal, in order, until one fails; then detach.

With --json every line of standard output is one object: `{"command", "ok", "result" | "error", "stop"?}` for
each command and `{"event", "body"}` for each event in between. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError, Gone, TimedOut
from remora_client._hooks import Hooks
from remora_client._options import from_arguments
from remora_client._targets import open_session
from remora_client.commands import (
    CommandError,
    Context,
    Given,
    Result,
    classify_script,
    commands_for,
    count_hits,
    error_text,
    expand_alias,
    given_commands,
    load_own,
    note_line,
    run_line,
    stop_data,
    stop_lines,
    wait_after,
)
from remora_client.repl.printer import Printer, output_lines, wants_color

if TYPE_CHECKING:
    from argparse import Namespace

    from remora_client._model import Stop

__all__ = ["Script", "run"]

_ON_HIT_DEPTH = 100


def run(arguments: Namespace) -> int:
    """Attach, run the commands, detach. Gives the exit code."""
    load_own(lambda text: print(f"remora: {text}", file=sys.stderr))
    return asyncio.run(_run(arguments, given_commands(arguments.file, arguments.commands)))


async def _run(arguments: Namespace, given: list[Given]) -> int:
    deadline = None
    if arguments.timeout is not None:
        deadline = asyncio.get_running_loop().time() + arguments.timeout
    try:
        async with asyncio.timeout_at(deadline):
            session = await open_session(
                arguments.target,
                from_arguments(arguments),
                pid=arguments.pid,
                name=arguments.name,
                force=arguments.force,
                source=arguments.source,
            )
    except TimeoutError:
        raise TimedOut(
            f"Not attached to {arguments.target or 'a process'} within {arguments.timeout:g} s."
        ) from None
    printer = Printer(color=wants_color(sys.stdout, forbidden=arguments.no_color))
    ctx = Context(session)
    ctx.shown_stop = session.state.stops  # a stop that was there before us is no news
    hooks = Hooks.from_arguments(arguments)
    script = Script(ctx, printer, as_json=arguments.json, deadline=deadline, hooks=hooks)
    remove = session.listen(script.on_event)
    try:
        await hooks.arm(session)
        code = await script.run(given)
        return await script.stay() if hooks and not code else code
    finally:
        remove()
        await session.detach()


class Script:
    """Runs commands one after the other, and tells what came of each."""

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
        self._left = False
        self._ran: list[str] = []
        ctx.past = lambda: self._ran

    async def run(self, given: list[Given]) -> int:
        """Run them all, or up to the first that fails. Gives the exit code."""
        for each in given:
            try:
                async with asyncio.timeout_at(self.deadline):
                    await self._command(each.text)
            except Exception as error:  # one that is not of FAILURES is a bug: a sentence, too
                failure: BaseException = self._too_late() if isinstance(error, TimeoutError) else error
                self._failed(each, failure)
                return _exit_code(failure)
            if self._left:
                break
        return 0

    async def stay(self) -> int:
        """Run the hooks at every stop, until the program ends or the time is up, or a hook fails."""
        session = self.ctx.session
        while not self._left and not session.state.over:
            try:
                async with asyncio.timeout_at(self.deadline):
                    if session.stop is not None:
                        await session.resume()
                    stop = await session.wait_for_stop()
            except TimeoutError:
                return 0  # so long it was to watch
            except Gone as error:
                self._failed(Given("(watching)", ""), error)
                return error.exit_code
            if stop is None:
                break
            count_hits(self.ctx, stop)
            try:
                async with asyncio.timeout_at(self.deadline):
                    await self._on_hit(stop)
            except Exception as error:
                self._failed(Given("(at a stop)", ""), error)
                return _exit_code(error)
        return 0

    def on_event(self, event: str, body: dict[str, Any]) -> None:
        """Tell what the program does in between."""
        if self.as_json:
            if not event.startswith("remora/"):
                self._write({"event": event, "body": body})
            elif event == "remora/note":
                print(f"remora: {body.get('text', '')}", file=sys.stderr)
        elif event == "output" and body.get("category") != "telemetry":
            text = str(body.get("output", ""))
            self.printer.print(output_lines(str(body.get("category", "console")), text))
        elif event == "remora/note":
            self.printer.print([("class:warning", f"{body.get('text', '')}\n")])

    async def _command(self, text: str) -> None:
        if self.ctx.session.state.phase == "gone":
            await self.ctx.session.wait_for_stop()  # raises what happened to it
        if self.ctx.session.state.phase == "ended":
            raise Gone("the program has ended.")
        self._ran.append(text)
        line = classify_script(expand_alias(self.ctx, text))
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

    async def _succeeded(self, text: str, result: Result, stop: Stop | None) -> None:
        ended = result.resumed and stop is None
        data = result.data
        if ended:
            data = {"ended": True, "exitCode": self.ctx.session.state.exit_code}
        if self.as_json:
            line = {"command": text, "ok": True, "result": data}
            self._write(line | ({"stop": stop_data(stop)} if stop is not None else {}))
            return
        self.printer.print(result.text)
        if stop is not None:
            self.printer.print(await stop_lines(self.ctx, stop))
        elif ended:
            self.printer.print([("class:dim", "The program ended.\n")])

    async def _on_hit(self, stop: Stop) -> None:
        """The commands that were left for this breakpoint. They may let the program run, and stop again."""
        hooked = await self.hooks.commands_for(self.ctx.session, stop) if self.hooks else []
        for text in [*commands_for(self.ctx, stop), *hooked]:
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
            return CommandError("No stop in the time given; the program runs on.")
        return CommandError("No answer in the time given.")

    def _failed(self, given: Given, error: BaseException) -> None:
        text = error_text(error)
        if self.as_json:
            self._write({"command": given.text, "ok": False, "error": text})
        else:
            self.printer.stream.flush()
            print(f"remora: {given.where}{given.text}: {text}", file=sys.stderr)

    def _write(self, line: dict[str, Any]) -> None:
        self.printer.stream.write(json.dumps(line) + "\n")
        self.printer.stream.flush()


def _exit_code(error: BaseException) -> int:
    return error.exit_code if isinstance(error, ClientError) else 1
