"""From what a person typed as several targets to a group, for `attach` and `exec`. Event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._errors import NoSuchProcess, UsageError
from remora_client._groups._feeds import LocalFeed, QualifierFeed, feeds_for
from remora_client._groups._following import FollowingFeed
from remora_client._groups._group import Group
from remora_client._options import attach_options, connect_options

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from remora_client._groups._feeds import Feed
    from remora_protocol import ProcessInfo

__all__ = ["open_group"]


async def open_group(
    targets: Sequence[str],
    arguments: Namespace,
    note: Callable[[str], None],
    choose: Callable[[Sequence[ProcessInfo]], int] | None = None,
) -> Group:
    """A group that is attached to at least one process. `note` is told what went wrong beside that.

    `choose` is asked for a process id when the one to follow is not clear.

    Raises:
        ClientError: to none; or not to all that were named, unless everybody behind them is meant.
    """
    follows = arguments.follow != "off"
    if arguments.pid is not None and (arguments.all or len(targets) > 1):
        raise UsageError("--pid is for one process; of several, say which after each: HOST:PORT#PID.")
    if follows and arguments.all:
        raise UsageError("--all has every process already: --follow is for what comes of one.")
    options = connect_options(arguments)
    feeds: list[Feed] = feeds_for(
        targets, options, name=None if follows else arguments.name, everyone=arguments.all
    )
    if follows:
        feeds = [_follow(each, arguments, choose) for each in feeds]
    group = Group(feeds, attach_options(arguments))
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


def _follow(feed: Feed, arguments: Namespace, choose: Callable[[Sequence[ProcessInfo]], int] | None) -> Feed:
    if not isinstance(feed, (LocalFeed, QualifierFeed)):
        raise UsageError(f"{feed.place} lists its workers itself: --follow is for what comes of one process.")
    return FollowingFeed(feed, arguments.follow, arguments.pid, arguments.name, choose)
