"""Hello and login, on a connection that is made: each side learns who the other is, and proves the secret.

Every failure names the layer and what to do next. Runs on the event loop.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from remora_client import _ptvsd
from remora_client._connecting import _diagnosis
from remora_client._errors import Gone, Rejected, SecretNeeded
from remora_client._text import visible
from remora_client._transport._rpc import NoAnswer
from remora_protocol import (
    AFTER_LOGIN_LIMIT,
    OBSERVER,
    USER,
    RemoteProtocolError,
    RequestFailed,
    ScramClient,
    ScramError,
    __version__,
    authenticate_arguments,
    choose_mechanism,
    hello_arguments,
    read_authenticate_body,
    read_hello_body,
    tls_server_end_point,
)

if TYPE_CHECKING:
    from remora_client._connecting._connect import Link
    from remora_protocol import Hello

__all__ = ["GreetedLate", "check_no_login", "log_in", "say_hello"]


class GreetedLate(Exception):
    """We spoke, and then a greeting came: it is an old ptvsd on a slow line, and needs another try."""


async def say_hello(link: Link) -> Hello | None:
    """Say who we are. None: it is a debug adapter, and no Remora."""
    arguments = hello_arguments("remora", __version__)
    try:
        hello = read_hello_body(await link.rpc.request("remora/hello", arguments, link.options.left))
    except RequestFailed as error:
        _check_greeting(link)
        if error.code in ("unknown-command", "failed"):
            return None
        raise _diagnosis.hello_refused(link, error) from None
    except (Gone, NoAnswer):
        _check_greeting(link)
        raise _diagnosis.hello_unanswered(link) from None
    except RemoteProtocolError as error:
        _check_greeting(link)
        raise _diagnosis.hello_garbled(link, error) from None
    link.server = visible(f"{hello.server_name} {hello.server_version}")
    return hello


def _check_greeting(link: Link) -> None:
    if _ptvsd.greets(link.rpc.head):
        raise GreetedLate


async def log_in(link: Link, hello: Hello | None) -> None:
    """Prove that we know the secret, and have the server prove it."""
    if hello is None:
        raise _diagnosis.not_a_remora(link.address, b"")
    try:
        mechanism = choose_mechanism(hello.mechanisms, tls=link.certificate is not None)
        if mechanism is None:
            check_no_login(link)
        elif link.secret is None:
            raise SecretNeeded(
                f"{link.address} wants a secret, and none was given.",
                "Put it before the host (tcp://SECRET@host), into a file for --secret-file, or into "
                "REMORA_SECRET.",
            )
        else:
            await _prove(link, link.secret.text, mechanism)
            link.proved = True
    except RequestFailed as error:
        raise _diagnosis.login_refused(link, error) from None
    except ScramError as error:
        raise _diagnosis.login_failed(link, error) from None
    except RemoteProtocolError as error:
        raise _diagnosis.login_garbled(link, error) from None
    except (Gone, NoAnswer) as error:
        raise _diagnosis.login_unanswered(link, error) from None
    link.rpc.lift_limits(AFTER_LOGIN_LIMIT)


def check_no_login(link: Link) -> None:
    """The server asks for no secret. Where one was given, it has to prove that it knows it."""
    if link.secret is None:
        return
    raise Rejected(
        f"{link.address} asks for no secret, so it has not proved that it knows the one given "
        f"{link.secret.origin}.",
        "It may not be the server that you mean. If it is, leave the secret out.",
    )


async def _prove(link: Link, secret: str, mechanism: str) -> None:
    binding = tls_server_end_point(link.certificate) if link.certificate is not None else None
    try:
        user = OBSERVER if link.options.observe else USER
        client = ScramClient(secret, mechanism, channel_binding=binding, user=user)
    except ValueError as error:
        raise Rejected(f"The secret cannot be used: {error}") from None
    data = await _exchange(link, mechanism, client.first(), last=False)
    # Off the loop: a server may ask for up to a second of hashing.
    final = await asyncio.to_thread(client.receive, data)
    client.finish(await _exchange(link, mechanism, final, last=True))


async def _exchange(link: Link, mechanism: str, data: bytes, *, last: bool) -> bytes:
    arguments = authenticate_arguments(mechanism, data)
    with link.rpc.together():
        _, to_come = link.rpc.send("remora/authenticate", arguments)
        if last and link.qualifier is not None and link.qualifier.pid is None:
            # It is what comes next: that saves a way there and back, and tells a false server nothing.
            _, link.asked = link.rpc.send("remora/processes", {})
    answer, done = read_authenticate_body(
        await link.rpc.answer("remora/authenticate", to_come, link.options.left)
    )
    if done is not last:
        raise RemoteProtocolError("bad-request", "the login ends too early or too late")
    return answer
