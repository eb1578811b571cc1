"""`remora exec`'s --on-stop, --on-exception and --on-uncaught: commands that run at each stop. Event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._model import ExceptionFilter
from remora_client._records import record
from remora_client.commands import split_commands
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from argparse import Namespace

    from remora_client._groups._shared import Shared
    from remora_client._model import Stop
    from remora_client._sessions._session import Session

__all__ = ["Hooks"]


@record
class Hooks:
    """What to do at which stop. With any of them, `exec` stays until the program ends or its time is up."""

    stop: tuple[str, ...] = ()
    exception: tuple[str, ...] = ()
    uncaught: tuple[str, ...] = ()

    @classmethod
    def from_arguments(cls, arguments: Namespace) -> Hooks:
        """What the command line says."""
        return cls(tuple(arguments.on_stop), tuple(arguments.on_exception), tuple(arguments.on_uncaught))

    def __bool__(self) -> bool:
        return bool(self.stop or self.exception or self.uncaught)

    async def arm(self, session: Session, everybody: Session | Shared) -> None:
        """Have the program, or all of a group, stop at the exceptions that are wanted; `session` is one."""
        if not (self.exception or self.uncaught):
            return
        known = {str(each.get("filter")) for each in session.exception_modes}
        wanted = {"raised", "uncaught"} if self.exception else {"uncaught"}
        await everybody.set_exception_filters([ExceptionFilter(name) for name in sorted(wanted & known)])

    async def commands_for(self, session: Session, stop: Stop) -> list[str]:
        """What to run at this stop, in the order of the options above."""
        texts = list(self.stop)
        if stop.reason == "exception":
            texts += self.exception
            if self.uncaught and await _is_uncaught(session, stop):
                texts += self.uncaught
        return [part for text in texts for part in split_commands(text)]


async def _is_uncaught(session: Session, stop: Stop) -> bool:
    try:
        return (await session.exception_info(stop.thread_id)).mode in ("unhandled", "userUnhandled")
    except RequestFailed:
        return False
