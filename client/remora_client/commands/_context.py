"""What commands work on: the session, and what the person has set up and looked at so far.

Used on the event loop's thread only.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remora_client._records import record
from remora_client.commands._settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from remora_client._groups._group import Group, Member
    from remora_client._model import Breakpoint, Frame, Source
    from remora_client._sessions._session import Session
    from remora_client.commands._table import Result

__all__ = ["Context", "Display", "Listing", "Seen"]


@dataclass
class Display:
    """An expression that is shown at every stop.

    Attributes:
        expression: as it was typed, with its format before it.
        form: what is evaluated, with `{}` for the Python of it.
    """

    number: int
    expression: str
    changed_only: bool = False
    form: str = "{}"
    last: str | None = None

    @property
    def python(self) -> str:
        """What is evaluated."""
        return self.form.format(self.expression.partition(" ")[2] if self.form != "{}" else self.expression)


@dataclass
class Listing:
    """What `list` has shown: the file, the lines, and the stop it belongs to. It goes on behind the last."""

    source: Source
    first: int
    last: int
    stops: int


@record
class Seen:
    """A function's variables at a stop, and how they were when the program stood there before."""

    stops: int
    line: int
    values: dict[str, str]
    before: Seen | None


def _lent(wait: bool) -> AbstractAsyncContextManager[None]:
    return contextlib.nullcontext()


@dataclass
class Context:
    """Handed to every command.

    Attributes:
        session: the debuggee; of a group, the process that is looked at.
        group: all processes, where there may be several; and which one `session` is.
        interactive: a person reads the answers; scripts get everything, uncut and unasked.
        width: columns to fill; 0: as long as it takes.
        timeout: how long to wait for a stop, where a command has to wait for one.
        feed: types a line into the program; None: its input is not in our hands.
        reach: attaches to another program, with these breakpoints; None: a session is with one program only.
        launch: starts the program again with other arguments, and attaches; None: somebody else started it.
        following: the session that the person turns to when this one is left.
        confirm: asks a question; None: there is nobody to ask, and what was asked for is meant.
        past: gives the lines that were typed, the latest last.
        show: shows what one command of several gave, and the stop that it leads to; None: the result has it.
        copy: puts a text on the person's clipboard; None: there is no terminal that has one.
        interacting: every line is Python, until Ctrl-D.
        python: the names of `py`.
        layout: shows full-screen panes, or "off" none; None: there is no terminal to show them on.
        lend: gives the terminal to another program for a while, and waits for Enter after it if told to.
        sees_source: a pane shows the source, so that answers need not.
    """

    session: Session
    group: Group | None = None
    member: Member | None = None
    interactive: bool = False
    width: int = 0
    timeout: float | None = None
    feed: Callable[[str], Awaitable[None]] | None = None
    reach: Callable[[str, Sequence[Breakpoint]], Awaitable[Session]] | None = None
    launch: Callable[[str, Sequence[Breakpoint]], Awaitable[Session]] | None = None
    following: Session | None = None
    confirm: Callable[[str], Awaitable[bool]] | None = None
    past: Callable[[], Sequence[str]] = tuple
    show: Callable[[Result], Awaitable[None]] | None = None
    copy: Callable[[str], None] | None = None
    layout: Callable[[str], Awaitable[None]] | None = None
    lend: Callable[[bool], AbstractAsyncContextManager[None]] = field(default=_lent)
    sees_source: bool = False
    settings: Settings = field(default_factory=Settings)
    displays: dict[int, Display] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    on_hit: dict[int, list[str]] = field(default_factory=dict)
    listing: Listing | None = None
    transcript: str | None = None  # the file that everything shown is copied to
    kept: str = ""  # what the option keep-breakpoints has kept last
    record: str | None = None  # the file that commands are recorded in
    exceptions: tuple[str, ...] | None = None  # what `catch` was told; None: the server's defaults
    seen: dict[tuple[str, str], Seen] = field(default_factory=dict)  # by a function's file and name
    shown: dict[int, int] = field(default_factory=dict)  # by process: the last stop that somebody was told of
    shown_thread: int = 0  # and the thread of that stop
    depth: int = 0  # command files that are running
    interacting: bool = False
    meant: dict[str, bool] = field(default_factory=dict)  # of a bare word that is both: is it the variable?
    skips: list[tuple[str, str]] = field(default_factory=list)  # what steps pass by: kind, pattern
    just_my_code: bool = True
    python: dict[str, Any] = field(default_factory=dict)

    @property
    def bare_names(self) -> str:
        """How `classify` is to read a line."""
        return "python" if self.interacting else self.settings.bare_names

    @property
    def as_variables(self) -> frozenset[str]:
        """The bare words that the person has said to be variables."""
        return frozenset(word for word, is_variable in self.meant.items() if is_variable)

    @property
    def shown_stop(self) -> int:
        """The number of the last stop of this process that somebody was told of."""
        return self.shown.get(self._number, 0)

    @shown_stop.setter
    def shown_stop(self, number: int) -> None:
        self.shown[self._number] = number

    @property
    def _number(self) -> int:
        return 0 if self.member is None else self.member.number

    def turned_to(self, session: Session) -> Context:
        """The same person's, for another program: options, aliases and displays stay."""
        kept = {each: getattr(self, each) for each in ("settings", "displays", "aliases", "skips")}
        return Context(
            session,
            interactive=self.interactive,
            transcript=self.transcript,
            record=self.record,
            just_my_code=self.just_my_code,
            **kept,
        )

    def choose(self, member: Member) -> None:
        """Look at this process of the group from here on."""
        if member is not self.member:
            self.member, self.session = member, member.session
            self.listing = None
            self.seen.clear()

    @property
    def shown_place(self) -> tuple[str, int] | None:
        """The file and line that `list` has shown last."""
        return None if self.listing is None else (self.listing.source.path, self.listing.last)

    async def agreed(self, question: str) -> bool:
        """Ask the person; with nobody to ask, yes."""
        return True if self.confirm is None else await self.confirm(question)

    async def frame(self) -> Frame:
        """The selected frame. Raises `NotStopped`."""
        return await self.session.current_frame()
