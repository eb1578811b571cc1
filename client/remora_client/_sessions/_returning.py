"""Coming back: a session whose connection is lost finds its way to the same stop by itself.

Where the person asked the program to wait (`--hold`). The server then keeps breakpoints and stopped threads
for so long, and gives a token by which this client is known again; on another connection, after another
login. Meanwhile the session counts as running: who waits for a stop goes on waiting. And where the connection
led through another process, which owns the port: when that one ends, the debugged one waits for us anyway.

It also finds out connections that died without a word. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remora_client._connecting._connect import Link, connect
from remora_client._errors import ClientError, ConnectError, Gone, NoSuchProcess, Rejected, Throttled
from remora_client._sessions import _attach
from remora_client._sessions._breaking import Breaking
from remora_client._sessions._nesting import Nesting
from remora_client._text import visible
from remora_client._transport._rpc import NoAnswer
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remora_client._source._localsource import LocalSources

__all__ = ["Returning"]

_PING_SECONDS = 4.0
_SILENT_PINGS = 3
_PROBE_SECONDS = 2.5
_AT_LEAST = 15.0  # so long it is tried in any case: the network may need a moment, too
_LONGEST_PAUSE = 2.0
# Without --hold, for a session that led through another process: the port is taken over within a second.
_TAKEOVER_SECONDS = 5.0
_REGISTERING_SECONDS = 0.7


class Returning(Breaking, Nesting):
    """The part of a session that sees to its connection."""

    def __init__(self, link: Link, sources: LocalSources) -> None:
        super().__init__(link, sources)
        self._arguments: dict[str, Any] = {}
        self._token = ""
        self._pid: int | None = None
        self._was_stopped = False
        self._is_leaving = False
        self._rpc.on_end = self._on_end

    async def _start(self, arguments: Mapping[str, Any]) -> bool:
        """Attach. Whether that was a return to what we had left."""
        self._arguments = dict(arguments)
        hold = self.link.options.hold
        if hold and self.link.is_remora:
            self._arguments["hold"] = hold
        if self.link.options.follow:
            self._arguments["follow"] = True
        body = await _attach.start(
            self, {**self._arguments, "resume": self._token} if self._token else self._arguments
        )
        remora = body.get("remora")
        remora = remora if isinstance(remora, dict) else {}
        token = remora.get("token")
        self._token = token if isinstance(token, str) else ""
        if self.has("remora/ping"):
            self._later(self._keep_alive())
        return remora.get("resumed") is True

    # -- the connection ends ----------------------------------------------------------------------

    def _on_end(self) -> None:
        if not self._token or self.state.over or self._is_leaving:
            self._take_event("remora/gone", {})
            return
        self._was_stopped = self.state.stop is not None
        self._take_event("remora/away", {})
        self._later(self._come_back())

    async def _come_back(self) -> None:
        hold = self.link.options.hold
        reason = self._rpc.end.text if self._rpc.end is not None else ""
        is_silent = not hold
        if hold:
            self.note(f"{visible(reason)} The program waits for {hold:g} s; connecting again …")
        await self.link.close()
        error: Exception | None = None
        pause = 0.1
        begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(hold, _AT_LEAST) if hold else _TAKEOVER_SECONDS):
                while True:
                    try:
                        returned = await self._try_to_return()
                        break
                    except (Rejected, ClientError, RequestFailed, OSError) as failure:
                        error = failure
                        if isinstance(failure, Rejected) and not isinstance(failure, Throttled):
                            raise
                        if is_silent and not isinstance(failure, NoSuchProcess):
                            is_silent = False
                            self.note(f"{visible(reason)} It led through another process; connecting again …")
                        seconds = asyncio.get_running_loop().time() - begun
                        if isinstance(failure, NoSuchProcess) and not hold and seconds > _REGISTERING_SECONDS:
                            raise
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
        except (TimeoutError, Rejected, NoSuchProcess):
            why = f" {visible(str(error))}" if error is not None else ""
            self._rpc.end = Gone(f"{visible(reason)} There was no way back.{why}")
            self._token = ""
            self._take_event("remora/gone", {})
            return
        self._tell_of_return(returned)

    def _tell_of_return(self, returned: bool) -> None:
        if returned:
            self.note("Connected again; all is as it was.")
        elif self._was_stopped:
            self.note("Connected again, too late: the program has run on. The breakpoints are set again.")
        else:
            self.note("Connected again; the breakpoints are set again.")

    async def _try_to_return(self) -> bool:
        link = await self._dial_again(self.link.options.timeout)
        try:
            if self._pid is not None:
                await link.open(self._pid)
            self._adopt(link)
            returned = await self._start(self._arguments)
            if link.rpc.end is not None:
                raise link.rpc.end
        except BaseException:
            await link.close()
            raise
        link.rpc.on_end = self._on_end
        return returned

    def _adopt(self, link: Link) -> None:
        """Go on with another connection. While we attach to it, its end is the end of one attempt."""
        before, self.link, self._rpc = self._rpc, link, link.rpc
        link.rpc.on_event, link.rpc.on_request = before.on_event, before.on_request

    async def _dial_again(self, timeout: float) -> Link:
        """The same place, with the same secret and the same certificate as before; nobody is asked."""
        link = self.link
        options = replace(link.options, timeout=timeout, ask_secret=None, ask_certificate=None)
        if link.certificate is not None and link.certificate_by_hand:
            from remora_client._credentials._certificates import fingerprint

            options = replace(options, fingerprint=fingerprint(link.certificate))
        if link.wait_again is not None:
            found = await link.wait_again(options)
        elif link.qualifier is not None:
            secret = link.secret.text if link.secret is not None else None
            found = await connect(replace(link.qualifier, secret=secret), options)
        else:
            raise Rejected("A process of this machine is not come back to.")
        found.options, found.secret = link.options, link.secret
        return found

    # -- the connection is silent -----------------------------------------------------------------

    async def _keep_alive(self) -> None:
        """Show the server that we are there; it lets the program go when we fall silent.

        That the server falls silent is not enough to give up: the program may hold the interpreter's lock
        for a minute. But when a new connection is answered, the old one is dead.
        """
        rpc = self._rpc
        silent, told = 0, False
        while not self.state.over and rpc is self._rpc:
            try:
                await rpc.request("remora/ping", {}, _PING_SECONDS)
                silent, told = 0, False
            except NoAnswer:
                silent += 1
            except (ClientError, RequestFailed):
                return
            if silent >= _SILENT_PINGS:
                if await self._is_answered_elsewhere():
                    rpc.abandon(
                        f"The connection to {rpc.peer} is dead: a new one is answered, and this one is not."
                    )
                    return
                if not told:
                    told = True
                    seconds = silent * _PING_SECONDS
                    self.note(
                        f"No answer for {seconds:g} s: the program is busy in C code, or the network is gone."
                    )
            if not silent:
                await asyncio.sleep(_PING_SECONDS)

    async def _is_answered_elsewhere(self) -> bool:
        if self.link.qualifier is None or not self.link.is_remora:
            return False
        with contextlib.suppress(ConnectError, RequestFailed, OSError, TimeoutError):
            async with asyncio.timeout(_PROBE_SECONDS):
                await (await self._dial_again(_PROBE_SECONDS)).close()
                return True
        return False
