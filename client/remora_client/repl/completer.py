"""Completion of commands, their arguments, and Python on the program's live objects.

Asks the server only when the person asks for completions; a stale answer is dropped by prompt_toolkit.
"""

from __future__ import annotations

import asyncio
import re
from functools import cached_property
from typing import TYPE_CHECKING

from prompt_toolkit.completion import Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from remora_client._errors import ClientError
from remora_client._finding._places import is_library
from remora_client._source._definitions import definitions
from remora_client._text import visible
from remora_client.commands import COMMANDS, CommandLine, PythonLine, Settings, classify, code_in
from remora_client.commands._files import unquoted
from remora_client.locspec import quoted
from remora_protocol import RequestFailed, match_by_name

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

    from prompt_toolkit.completion import CompleteEvent

    from remora_client._sessions._session import Session
    from remora_client.commands import Command, Context, Line

__all__ = ["LineCompleter"]

_WORD = re.compile(r"\w*\Z")
_DOTTED = re.compile(r"[\w.]*\Z")
_ATTACHED = re.compile(r"\s*\w+[.\[]")
# A word of a command's arguments; one that begins with a quote goes on behind blanks, up to the next quote.
_ARGUMENT = re.compile(r"""'[^']*(?:'\S*)?|"[^"]*(?:"\S*)?|\S+""")
_LINE_OF = re.compile(r"""(?P<file>'[^']*'|"[^"]*"|[^\s'"]\S*):(?P<line>\S*)""")
_SECONDS = 2.0
_OPTIONS = {
    "where": ("-full", "all"),
    "exceptions": ("-full",),
    "kill": ("-9",),
    "info": (
        "breakpoints",
        "threads",
        "locals",
        "args",
        "frame",
        "stack",
        "line",
        "sources",
        "modules",
        "display",
    ),
    "catch": ("raised", "uncaught", "user", "-off"),
    "continue": ("-thread",),
    "layout": ("src", "vars", "split", "off"),
}


class _Item(Completion):
    """A completion that works out once what the menu asks for at each drawing, of hundreds of them."""

    @cached_property
    def display_text(self) -> str:
        """The text in the menu."""
        return super().display_text

    @cached_property
    def display_meta_text(self) -> str:
        """What stands beside it."""
        return super().display_meta_text


class LineCompleter(Completer):
    """Completes a line by the same rule that runs it.

    Args:
        ctx: what the commands work on.
        names: gives the variables in scope.
    """

    def __init__(self, ctx: Context, names: Callable[[], frozenset[str]]) -> None:
        self._ctx = ctx
        self._names = names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Nothing: the server is asked without blocking, see below."""
        return ()

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """Give what may come next at the cursor."""
        text = document.text_before_cursor
        try:
            async for each in self._complete(text):
                yield each
        except (ClientError, RequestFailed, TimeoutError):
            return  # no completions: the person sees why when the line runs

    async def _complete(self, text: str) -> AsyncGenerator[Completion, None]:
        head = text.lstrip()
        if "\n" not in text and re.fullmatch(r":?\w*", head):
            for each in _commands(head.lstrip(":"), self._ctx.session):
                yield each
            if head.startswith(":"):
                return
        found = self._read(text) if head else None
        if (
            isinstance(found, CommandLine)
            and text != head[: len(found.word)]
            and not re.fullmatch(r":?\w+", head)
        ):
            async for each in self._arguments(found.command, _after_word(text, found)):
                yield each
            return
        async for each in self._python(text.lstrip("!") if head.startswith("!") else text):
            yield each

    def _read(self, text: str) -> Line:
        """What this is the beginning of. In `d.` and `d['ke` the `d` is a variable, and not the command."""
        ends = ("", "x", "']", '"]') if _ATTACHED.match(text) else ("",)
        lines = [classify(text + end, self._names()) for end in ends]
        return next((each for each in lines if isinstance(each, PythonLine)), lines[0])

    async def _arguments(self, entry: Command, typed: str) -> AsyncGenerator[Completion, None]:
        last = typed.rsplit(" ", maxsplit=1)[-1]
        for option in _OPTIONS.get(entry.name, ()):
            if option.startswith(last):
                yield Completion(option, -len(last))
        kind = entry.argument
        code = code_in(entry, typed)
        if code is not None:
            async for each in self._python(code):
                yield each
        elif kind == "location":
            async for each in self._places(typed):
                yield each
        elif kind == "option" and entry.name in ("set", "config"):
            for each in _settings(typed):
                yield each
            if entry.name == "set" and " " not in typed:
                async for each in self._python(typed):
                    yield each
        elif kind == "file":
            last = _last_word(typed)
            if entry.name == "fetch" and not last.startswith("-"):
                async for each in self._program_files(last, ""):
                    yield each
            for each in _local_files(last):
                yield each
        else:
            for each in self._static(kind, last):
                yield each

    def _static(self, kind: str, last: str) -> Iterator[Completion]:
        session = self._ctx.session
        if kind == "breakpoint":
            for one in session.breakpoints:
                if str(one.number).startswith(last):
                    yield Completion(str(one.number), -len(last), display_meta=visible(one.place()))
        elif kind == "process" and self._ctx.group is not None:
            for member in self._ctx.group.members.values():
                if str(member.number).startswith(last):
                    yield Completion(str(member.number), -len(last), display_meta=visible(member.name))
        elif kind == "thread":
            for thread in session.state.threads.values():
                if str(thread.id).startswith(last):
                    yield Completion(str(thread.id), -len(last), display_meta=visible(thread.name))
        elif kind == "command":
            yield from _commands(last, session)

    async def _places(self, typed: str) -> AsyncGenerator[Completion, None]:
        last = _last_word(typed)
        if found := _LINE_OF.fullmatch(last):
            async for each in self._lines(unquoted(found["file"]), found["line"]):
                yield each
            return
        async for each in self._program_files(last, ":"):
            yield each
        if not re.match(r"['\"]|.*/", last):
            async for each in self._python(last):
                yield each

    async def _program_files(self, typed: str, end: str) -> AsyncGenerator[Completion, None]:
        """The program's own files, in quotes where these are typed or needed."""
        quote = typed[:1] if typed[:1] in ("'", '"') else ""
        for name in sorted(await self._files()):
            if name.startswith(typed.removeprefix(quote)):
                whole = quoted(name) if quoted(name) != name else f"{quote}{name}{quote}"
                yield Completion(f"{whole}{end}", -len(typed), display=visible(name), display_meta="file")

    async def _files(self) -> set[str]:
        """The names of the program's own files: those that are at hand, or are no library's."""
        session = self._ctx.session
        async with asyncio.timeout(_SECONDS):
            loaded = await session.loaded_sources()
        return {each.name for each in loaded if each.name and not is_library(each.path)}

    async def _lines(self, file: str, typed: str) -> AsyncGenerator[Completion, None]:
        """The functions of a file, by the line that they begin at."""
        session = self._ctx.session
        loaded = {each.path: each for each in await session.loaded_sources()}
        for path in match_by_name(file, list(loaded))[:1]:
            text = (await session.source_text(loaded[path])).text
            for found in definitions(text):
                if str(found.line).startswith(typed) or (typed and found.name.startswith(typed)):
                    yield Completion(str(found.line), -len(typed), display_meta=visible(found.name))

    async def _python(self, text: str) -> AsyncGenerator[Completion, None]:
        last_line = text.rsplit("\n", 1)[-1]
        async with asyncio.timeout(_SECONDS):
            items = await self._ctx.session.completions(last_line)
        match = _WORD.search(last_line)
        word = match[0] if match else ""
        seen: set[str] = set()
        for item in items[:2000]:
            insert = visible(str(item.get("text") or item.get("label") or ""))
            label = visible(str(item.get("label") or insert))
            length = item.get("length")
            start = -(length if isinstance(length, int) else _overlap(last_line, insert, word))
            if insert in seen or not insert:
                continue
            seen.add(insert)
            kind = "argument" if label.endswith("=") else str(item.get("type") or "")
            yield _Item(insert, start, display=label, display_meta=kind)


def _overlap(line: str, insert: str, word: str) -> int:
    """How much of what is typed already the completion replaces."""
    if insert.startswith(word) or insert.casefold().startswith(word.casefold()):
        return len(word)
    dotted = _DOTTED.search(line)
    if dotted and insert.startswith(dotted[0]):
        return len(dotted[0])
    for size in range(min(len(insert), len(line)), 0, -1):
        if line.endswith(insert[:size]):
            return size
    return len(word)


def _commands(typed: str, session: Session) -> Iterator[Completion]:
    for name, entry in sorted(COMMANDS.items()):
        if name.startswith(typed) and entry.offered(session):
            yield Completion(
                name,
                -len(typed),
                display_meta=entry.summary,
                style="class:completion-menu.command",
                selected_style="class:completion-menu.completion.current",
            )


def _settings(typed: str) -> Iterator[Completion]:
    name, blank, value = typed.partition(" ")
    choices = Settings.choices(name) if blank else tuple(Settings.names())
    part = value if blank else name
    for each in choices:
        if each.startswith(part):
            yield Completion(each, -len(part))


def _last_word(typed: str) -> str:
    """What is being typed of a command's arguments, with its quote if it has one."""
    found = list(_ARGUMENT.finditer(typed))
    return found[-1][0] if found and found[-1].end() == len(typed) else ""


def _local_files(typed: str) -> Iterator[Completion]:
    """Files of this machine."""
    quote = typed[:1] if typed[:1] in ("'", '"') else ""
    path = typed.removeprefix(quote)
    for each in PathCompleter(expanduser=True).get_completions(Document(path), _EVENT):
        whole = path + each.text
        mark = quote or quoted(whole)[0] * (quoted(whole) != whole)
        end = "" if each.display_text.endswith("/") else mark  # what is in a folder may follow
        yield Completion(f"{mark}{whole}{end}", -len(typed), display=each.display)


def _after_word(text: str, found: CommandLine) -> str:
    return text[text.index(found.word) + len(found.word) :].lstrip()


class _NoEvent:
    completion_requested = True
    text_inserted = False


_EVENT: CompleteEvent = _NoEvent()  # type: ignore[assignment]
