"""Asking the engines that run many workers where these are: `dask://`, `ray://`, `celery://`, `k8s://`.

An engine already knows its workers, so Remora keeps no list of its own. A plug-in is a class, found under the
name of its scheme in the entry points `remora.discovery`; `docs/many.md` says how to write one. Everything
runs on the event loop's thread.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from remora_client._errors import ClientError, UsageError
from remora_client._records import record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from remora_client._connecting._connect import Link
    from remora_client._options import ConnectOptions

__all__ = ["Discovery", "Target", "is_scheme", "open_discovery", "ray_setup_hook"]

_GROUP = "remora.discovery"
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
#: Not ours to look for: they say themselves where a process is.
_QUALIFIERS = frozenset({"tcp", "tcps"})


@record
class Target:
    """A process that an engine knows.

    Attributes:
        key: names it among all that the engine ever has: another process has another key.
        name: what the engine calls it, or a person would.
        kind: "worker", "actor", "node", "pod" …
        host: the machine that it is on, as the engine says it.
        pid: None where the engine does not tell.
        doing: what it is at, one entry a task; the first is what it has been at for longest.
        remark: anything else worth a person's knowing.
        can_attach: whether `attach` may work; when not, `remark` says why.
    """

    key: str
    name: str
    kind: str
    host: str
    pid: int | None = None
    doing: tuple[str, ...] = ()
    remark: str = ""
    can_attach: bool = True


class Discovery(Protocol):
    """One engine, as reached with one address. Its class is called with the address and the options.

    The address is what was typed, with its scheme. Options about secrets and certificates are for Remora's
    own connections; how the engine itself is reached is the engine's own configuration.
    """

    def targets(self) -> AsyncIterator[Target]:
        """What is there now. Raises a `ClientError`."""

    async def attach(self, target: Target) -> Link:
        """A connection to that process, logged in; attach is switched on there where that can be.

        Raises a `ClientError` that says what stands in the way.
        """

    async def close(self) -> None:
        """Switch off what was switched on, and let go of the engine. Never raises."""


def is_scheme(text: str) -> bool:
    """Whether a target that was given is for a plug-in."""
    match = _URL.match(text)
    return match is not None and match[1].lower() not in _QUALIFIERS and match[1].lower() in _entry_points()


def open_discovery(url: str, options: ConnectOptions) -> Discovery:
    """The plug-in for an address, ready to be asked.

    Raises:
        UsageError: there is none, or what it needs is not installed.
        ClientError: it does not take the address.
    """
    match = _URL.match(url)
    scheme = match[1].lower() if match else ""
    entry = _entry_points().get(scheme)
    if entry is None:
        known = ", ".join(f"{each}://" for each in sorted(_entry_points()))
        raise UsageError(f"Nothing here knows what {scheme}:// is.", f"Known are {known}.")
    try:
        factory = entry()
    except ImportError as error:
        missing = error.name or str(error)
        raise UsageError(
            f"{scheme}:// needs {missing}, which is not installed here.", f'pip install "remora[{scheme}]"'
        ) from None
    except AttributeError as error:
        raise ClientError(f"The plug-in for {scheme}:// is broken: {error}.") from None
    return factory(url, options)


def _entry_points() -> dict[str, Callable[[], Callable[[str, ConnectOptions], Discovery]]]:
    from importlib.metadata import entry_points

    return {each.name: each.load for each in entry_points(group=_GROUP)}


def ray_setup_hook() -> Callable[[], None]:
    """For a Ray job whose workers may be debugged: `ray.init(runtime_env={"worker_process_setup_hook": …})`.

    Each worker then has attach enabled, with a secret that `remora attach ray://` finds through the cluster.
    """
    from remora_client.discovery._ray_hook import setup_hook

    return setup_hook()
