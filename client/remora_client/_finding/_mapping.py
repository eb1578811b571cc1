"""Which folders of two machines hold the same files. Runs on the event loop's thread."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from remora_client._finding._places import is_library
from remora_client._records import record
from remora_client._source._pathmap import guess

if TYPE_CHECKING:
    from remora_client._sessions._session import Session

__all__ = ["MappedFolder", "Whereabouts", "guess_folders", "mapped_folders", "where_is"]

_MOST = 2000  # files that a guess looks at


@record
class MappedFolder:
    """A folder of the program's machine and the one here that holds the same files.

    Attributes:
        files: how many files speak for a guess; 0: it was told.
    """

    theirs: str
    ours: str
    files: int = 0


@record
class Whereabouts:
    """Where a path leads.

    Attributes:
        ours: the file here for a path of the program's; None: there is none.
        theirs: the program's path for one here; None: no mapped folder fits.
        is_mapped: `ours` comes of a mapped folder, and not of the file's name.
    """

    ours: str | None
    theirs: str | None
    is_mapped: bool


def mapped_folders(session: Session) -> list[MappedFolder]:
    """What was told and guessed, by the program's folders."""
    return [MappedFolder(*each) for each in session.sources.maps.rows]


async def guess_folders(session: Session) -> list[MappedFolder] | None:
    """Map the folders that the files on both sides speak for. None: no file of the program's own is here."""
    loaded = [each for each in await session.loaded_sources() if not is_library(each.path)]
    found = [(each.path, session.sources.match(each.path, each.sha256)) for each in loaded[:_MOST]]
    pairs = [(theirs, local.path) for theirs, local in found if local is not None]
    if not pairs:
        return None
    guessed = [MappedFolder(*each) for each in guess(pairs)]
    for folder in guessed:
        session.sources.maps.add(folder.theirs, folder.ours)
    if guessed:
        await session.send_breakpoints()
    return guessed


def where_is(session: Session, path: str) -> Whereabouts:
    """Where a path, of the program's or of this machine's, leads on the other side."""
    maps = session.sources.maps
    mapped = maps.ours(path)
    local = None if mapped else session.sources.match(path, None)
    ours = mapped or (local.path if local else None)
    return Whereabouts(ours, maps.theirs(os.path.abspath(path)), mapped is not None)
