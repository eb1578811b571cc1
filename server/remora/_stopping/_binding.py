"""Line breakpoints from what a client asks for to what an engine watches: files by name, lines by where
code is.

The table is changed under the debugger's lock: by the server's thread, and by a program thread that enters
a file for the first time, so that a breakpoint on the first line of a module that is just being imported is
not missed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remora._stopping._breakpoints import Breakpoint, Point, SourceBreakpoint
from remora._stopping._conditions import BadExpression
from remora_protocol import split_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from remora._source._columns import Spot
    from remora._source._sources import Sources

__all__ = ["LineTable"]

_HAS_CHANGED = "The file has changed since the program loaded it: lines are those that it had."


@dataclass
class _Asked:
    """One breakpoint of one file, as the client asked for it, and where it is."""

    number: int
    spec: SourceBreakpoint
    point: Point | None
    refusal: str = ""
    places: dict[str, _Place] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    """A line; with `spot` only one of the several places on it."""

    line: int
    spot: Spot | None = None


@dataclass
class _File:
    """What was asked for under one path."""

    path: str
    sha256: str | None
    filenames: list[str]
    asked: list[_Asked]


class LineTable:
    """Every line breakpoint there is."""

    def __init__(
        self, sources: Sources, next_number: Callable[[], int], is_user: Callable[[str], bool]
    ) -> None:
        self._sources = sources
        self._is_user = is_user
        self._next_number = next_number
        self._files: dict[str, _File] = {}

    def set(self, path: str, specs: Sequence[SourceBreakpoint], sha256: str | None) -> list[Breakpoint]:
        """Replace all breakpoints of one file. An unchanged one keeps its number and its count of hits."""
        was = self._files.pop(path, None)
        known = {asked.spec: asked for asked in was.asked} if was is not None else {}
        asked = [known.pop(spec) if spec in known else self._ask(spec) for spec in specs]
        filenames = self._sources.resolve(path, sha256)
        file = _File(path, sha256, filenames, asked)
        if specs:
            self._files[path] = file
        for each in asked:
            self._place(file, each)
        return [self._describe(file, each) for each in asked]

    def meet(self, filename: str) -> list[Breakpoint]:
        """A file is about to run for the first time. The breakpoints that are now bound to it."""
        self._sources.note(filename)
        bound = []
        for file in self._files.values():
            if filename not in file.filenames and self._sources.matches(file.path, filename):
                file.filenames = self._sources.resolve(file.path, file.sha256)
                for asked in file.asked:
                    self._place(file, asked)
                    bound.append(self._describe(file, asked))
        return bound

    def wants_files(self) -> bool:
        """Whether files that are not loaded yet could matter."""
        return bool(self._files)

    def points(self) -> Iterator[tuple[str, int, Point, Spot | None]]:
        """Each breakpoint in force: file name as in `co_filename`, line, what to do there, place on it."""
        for file in self._files.values():
            for asked in file.asked:
                if asked.point is not None:
                    for filename, place in asked.places.items():
                        yield filename, place.line, asked.point, place.spot

    def has(self, point: Point) -> bool:
        """Whether this breakpoint is still set."""
        return any(asked.point is point for file in self._files.values() for asked in file.asked)

    def last_line(self, filename: str, line: int) -> int:
        """Where the statement that begins on this line ends."""
        lines = self._sources.lines(filename)
        statements = lines.statements if lines is not None else ()
        return max((last for first, last in statements if first == line), default=line)

    def remove(self, point: Point) -> Breakpoint | None:
        """A temporary breakpoint has been hit."""
        for file in self._files.values():
            for asked in file.asked:
                if asked.point is point:
                    file.asked.remove(asked)
                    return self._describe(file, asked)
        return None

    def clear(self) -> None:
        """No breakpoint is left."""
        self._files.clear()

    def _ask(self, spec: SourceBreakpoint) -> _Asked:
        number = self._next_number()
        try:
            return _Asked(number, spec, Point(number, spec))
        except BadExpression as error:
            return _Asked(number, spec, None, f"Not set: {error}")

    def _place(self, file: _File, asked: _Asked) -> None:
        asked.places = {}
        for filename in file.filenames:
            # Without a text nobody knows the lines beforehand; the code itself decides when it runs.
            known = self._sources.lines(filename) is not None
            line = self._sources.place(filename, asked.spec.line) if known else asked.spec.line
            if line is not None:
                asked.places[filename] = _Place(line, self._spot(filename, line, asked.spec))

    def _spot(self, filename: str, line: int, spec: SourceBreakpoint) -> Spot | None:
        if spec.column is None or line != spec.line:
            return None
        return self._sources.spot(filename, line, spec.column)

    def _describe(self, file: _File, asked: _Asked) -> Breakpoint:
        if asked.point is None:
            return self._refuse(file, asked, asked.refusal)
        if not file.filenames:
            near = self._sources.near(file.path, self._is_user)
            nearest = f" Nearest: {', '.join(near[:3])}." if near else ""
            message = f"No loaded file has this name yet.{nearest}"
            return Breakpoint(asked.number, False, asked.spec.line, None, message, "pending")
        if not asked.places:
            return self._refuse(file, asked, self._why_nowhere(file.filenames[0], asked.spec.line))
        (filename, place), *others = asked.places.items()
        line, spot = place.line, place.spot
        notes = []
        if spot is not None and spot.code is None:
            notes.append("This Python has the same code for several places on the line: it stops at each.")
        if line != asked.spec.line:
            notes.append(f"Moved from line {asked.spec.line} to {line}.")
        if self._sources.has_changed(filename):
            notes.append(_HAS_CHANGED)
        if others:
            paths = ", ".join(self._sources.display_path(name) for name, _ in others)
            notes.append(f"The name fits several files; it is also set in {paths}.")
        column = None if spot is None else spot.column
        return Breakpoint(asked.number, True, line, filename, " ".join(notes) or None, column=column)

    def _why_nowhere(self, filename: str, line: int) -> str:
        count = len(split_source(self._sources.text(filename) or ""))
        if 0 < count < line:
            return f"Line {line} is past the end: {os.path.basename(filename)} has {count} lines."
        changed = f" {_HAS_CHANGED}" if self._sources.has_changed(filename) else ""
        return f"Nothing can stop on line {line} or below it in the same function.{changed}"

    def _refuse(self, file: _File, asked: _Asked, message: str) -> Breakpoint:
        filename = file.filenames[0] if file.filenames else None
        return Breakpoint(asked.number, False, asked.spec.line, filename, message, "failed")
