"""`remora ls`: the processes that can be debugged, behind some qualifiers, of an engine, or on this machine.

All are asked at once; one that fails costs the others nothing. Answers of several are shown as
they come, a line a process, and what failed stands beside them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from remora_client._connecting._foreign import NO_AUTHENTICATION
from remora_client._errors import UsageError
from remora_client._groups._hosts import given
from remora_client._options import ConnectOptions, connect_options
from remora_client._subcommands._asking import Answer, ask_all, place_of
from remora_client._subcommands._process_table import GrowingTable, table, target_table
from remora_client._subcommands._progress import Progress
from remora_client._targets import local_processes, via
from remora_client._terminal_size import size_of
from remora_client._text import visible
from remora_client.discovery import is_scheme
from remora_protocol import QualifierError, parse_qualifier

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from remora_client._errors import ClientError
    from remora_client._groups._hosts import Given
    from remora_client._subcommands._asking import Question
    from remora_client.discovery import Target

__all__ = ["run"]

_WATCH_SECONDS = 1.0
_FLUSH_SECONDS = 0.05


def run(arguments: Namespace) -> int:
    """List once, or with --watch until Ctrl-C."""
    options = connect_options(arguments)
    if arguments.timeout is not None:
        options = replace(options, timeout=arguments.timeout)
    if options.via is not None and arguments.qualifiers:
        raise UsageError("With --via the way is known: name no other place.")
    questions = [_parsed(each) for each in given(arguments.qualifiers)]
    if options.via is not None:
        questions = [via(options.via)]
    if arguments.qualifiers and not questions:
        raise UsageError("The list of hosts is empty.")
    if len(questions) > 1:  # a question to a person would hold up all the others
        options = replace(options, ask_secret=None, ask_certificate=None)
    if arguments.watch:
        return asyncio.run(_watch(questions, options, as_json=arguments.json))
    answers = asyncio.run(_list(questions, options, as_json=arguments.json))
    return next((each.error.exit_code for each in answers if each.error is not None), 0)


def _parsed(target: Given) -> Question:
    if is_scheme(target.text):
        return target.text
    try:
        return parse_qualifier(target.text)
    except QualifierError as error:
        if target.where:
            raise UsageError(f"{target.where}: {error}") from None
        raise


async def _list(questions: Sequence[Question], options: ConnectOptions, *, as_json: bool) -> Sequence[Answer]:
    if len(questions) < 2 or as_json:
        answers = await _ask(questions, options)
        _print(answers, as_json=as_json)
        return answers
    growing = _Growing(questions)
    answers = await _ask(questions, options, growing.show)
    _summarize(answers)
    return answers


async def _ask(
    questions: Sequence[Question],
    options: ConnectOptions,
    show: Callable[[Answer], object] = lambda answer: None,
) -> list[Answer]:
    """All answers in the order of the questions; each is shown when it comes, and their number meanwhile."""
    if not questions:
        return [Answer("", await local_processes(options.timeout, _tell_silent))]
    progress = Progress(len(questions), "asked")
    answers: dict[int, Answer] = {}
    try:
        async for number, answer in ask_all(questions, options):
            answers[number] = answer
            progress.erase()
            show(answer)
            progress.count(failed=answer.error is not None)
    finally:
        progress.erase()
    return [answers[number] for number in range(len(questions))]


def _tell_silent(pid: int, why: str) -> None:
    first = visible(why.splitlines()[0])
    print(f"remora: process {pid} is there, and gives no answer. {first}", file=sys.stderr)


class _Growing:
    """What several places answered, printed as it comes."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self._table = GrowingTable((place_of(each) for each in questions), _width())
        self._begun = False
        self._flush: asyncio.TimerHandle | None = None

    def show(self, answer: Answer) -> None:
        lines = [] if self._begun else [self._table.head]
        self._begun = True
        print("\n".join([*lines, *self._lines(answer)]), flush=sys.stdout.isatty())
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self._flush_now)

    def _flush_now(self) -> None:
        """To a file or a pipe: many at once cost as much as one."""
        self._flush = None
        sys.stdout.flush()

    def _lines(self, answer: Answer) -> list[str]:
        if answer.error is not None:
            return [self._table.remark(answer.place, answer.error.text.splitlines()[0])]
        if answer.server:
            return [self._table.remark(answer.place, f"{answer.server}: one process, {NO_AUTHENTICATION}")]
        rows = self._table.rows(answer.place, answer.processes, answer.targets or ())
        return rows or [self._table.remark(answer.place, "no process can be debugged there now")]


def _summarize(answers: Sequence[Answer]) -> None:
    """After all: what went wrong how often, and what to do about each kind."""
    kinds: dict[str, list[ClientError]] = {}
    for answer in answers:
        if answer.error is not None:
            kinds.setdefault(answer.error.code, []).append(answer.error)
    for errors in kinds.values():
        if len(errors) == 1:
            print(f"remora: {errors[0]}", file=sys.stderr)
        else:
            text = f"{len(errors):,} of {len(answers):,} failed alike. One of them: {errors[0]}"
            print(f"remora: {text}", file=sys.stderr)


def _width() -> int:
    return size_of(sys.stdout).columns if sys.stdout.isatty() else 0


def _print(answers: Sequence[Answer], *, as_json: bool) -> None:
    """All answers at once: one's, this machine's, or a snapshot of several."""
    if as_json:
        rows: list[object] = [each for answer in answers for each in answer.processes]
        rows += [_target_data(answer.place, each) for answer in answers for each in answer.targets or ()]
        print(json.dumps(rows, indent=2), flush=True)
        for answer in answers:
            if answer.error is not None:
                print(f"remora: {answer.error if len(answers) == 1 else answer.error.text}", file=sys.stderr)
    else:
        (answer,) = answers
        if answer.server:
            print(f"{answer.place} is {answer.server}: one process, {NO_AUTHENTICATION}.")
            print(f"  remora attach {answer.place}")
        elif answer.targets is not None:
            print(
                "\n".join(target_table(answer.targets, _width())) or f"{answer.place} has nothing that runs."
            )
        elif answer.error is None:
            print("\n".join(table(answer.processes, _width())) or _nothing(answer.place))
        else:
            print(f"remora: {answer.error}", file=sys.stderr)
        sys.stdout.flush()


def _target_data(place: str, target: Target) -> dict[str, object]:
    return {
        "place": place,
        "kind": target.kind,
        "name": target.name,
        "host": target.host,
        "pid": target.pid,
        "doing": list(target.doing),
        "remark": target.remark,
        "canAttach": target.can_attach,
    }


def _nothing(place: str) -> str:
    where = f"behind {place}" if place else "of yours on this machine"
    return f"No process {where} can be debugged now. (A program calls remora.enable_attach() for that.)"


async def _watch(questions: Sequence[Question], options: ConnectOptions, *, as_json: bool) -> int:
    """Ask again every second, and print what is new; on a terminal, in place of the old."""
    before: object = None
    terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb" and not as_json
    while True:
        answers = await _ask(questions, options)
        now = [(each.place, each.processes, each.targets, str(each.error)) for each in answers]
        if now != before:
            if terminal:
                sys.stdout.write("\x1b[H\x1b[2J")
            if as_json or len(answers) == 1:
                _print(answers, as_json=as_json)
            else:
                growing = _Growing(questions)
                for each in answers:
                    growing.show(each)
            before = now
        await asyncio.sleep(_WATCH_SECONDS)
