"""What lets this client, and nobody else, into the workers that it switches attach on in."""

from __future__ import annotations

import secrets
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from remora_client._connecting._connect import connect
from remora_client._errors import ConnectError, NoSuchProcess
from remora_client._records import record
from remora_client._text import visible
from remora_protocol import Qualifier

if TYPE_CHECKING:
    from remora_client._connecting._connect import Link
    from remora_client._options import ConnectOptions

__all__ = ["Key"]

_DAYS = 7


@record
class Key:
    """A secret, and a certificate with its key, made for one client and forgotten with it.

    They go to the workers over the engine's own channel, and are never written down on this side.
    """

    secret: str = field(repr=False)
    certificate: bytes = field(repr=False)
    private_key: bytes = field(repr=False)
    fingerprint: str

    @classmethod
    def new(cls) -> Key:
        """Make one."""
        from remora_client._credentials._certificates import make_self_signed

        certificate, private_key, fingerprint = make_self_signed(["remora-discovery"], _DAYS)
        return cls(secrets.token_urlsafe(32), certificate, private_key, fingerprint)

    def arguments(self, name: str, hosts: list[str]) -> tuple[str, str, list[str], bytes, bytes]:
        """What `_inside.switch_on` takes."""
        return (self.secret, name, hosts, self.certificate, self.private_key)

    async def enter(self, host: str, answer: Any, options: ConnectOptions, who: str) -> Link:
        """Go in where `_inside.switch_on` gave this answer. Raises a `ConnectError`."""
        if not isinstance(answer, dict) or "port" not in answer:
            problem = answer.get("problem") if isinstance(answer, dict) else answer
            raise ConnectError(f"Attach cannot be switched on in {visible(who)}: {visible(str(problem))}.")
        qualifier = Qualifier("tcps", host, int(answer["port"]), self.secret)
        link = await connect(qualifier, replace(options, fingerprint=self.fingerprint))
        try:
            here = [each["pid"] for each in await link.processes()]
            if answer["pid"] not in here:
                raise NoSuchProcess(f"Another process than {visible(who)} answers at {link.address}.")
        except BaseException:
            await link.close()
            raise
        return link
