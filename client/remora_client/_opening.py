"""From what a person typed as several targets to a group, for `attach` and `exec`. Event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._errors import NoSuchProcess, UsageError
from remora_client._feeds import feeds_for
from remora_client._group import Group, How
from remora_client._options import from_arguments

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

__all__ = ["open_group"]


async def open_group(targets: Sequence[str], arguments: Namespace, note: Callable[[str], None]) -> Group:
    """A group that is attached to at least one process. `note` is told what went wrong beside that.

    Raises:
        ClientError: to none; or not to all that were named, unless everybody behind them is meant.
    """
    if arguments.pid is not None:
        raise UsageError("--pid is for one process; of several, say which after each: HOST:PORT#PID.")
    options = from_arguments(arguments)
    feeds = feeds_for(targets, options, name=arguments.name, everyone=arguments.all)
    group = Group(feeds, How(arguments.source, arguments.force))
    failures: list[str] = []
    remove = group.listen(lambda member, event, body: None, failures.append)
    try:
        await group.start(all_or_none=not any(each.goes_on for each in feeds))
    finally:
        remove()
    for each in failures:
        note(each)
    if not group.members:
        await group.detach()
        raise NoSuchProcess("There is no process to attach to.", "remora ls shows what there is.")
    return group
