"""Our two sides against those of the scramp package, which others wrote from the same RFCs."""

from __future__ import annotations

import pytest
import scramp

from remora_protocol import MECHANISM, MECHANISM_PLUS, ScramClient, ScramError, ScramServer, Verifier

BINDING = b"0123456789abcdef0123456789abcdef"
NAMED = ("tls-server-end-point", BINDING)
SECRETS = ["pencil", "pa,ss=word", "Ünïcode \N{SNOWMAN}", "I\xadX", "\u2168", "a\xa0b"]
KINDS = [(MECHANISM, None), (MECHANISM_PLUS, BINDING)]


def their_server(mechanism: str, secret: str, binding: bytes | None) -> scramp.core.ScramServer:
    kind = scramp.ScramMechanism(mechanism)
    known = kind.make_auth_info(secret)
    return kind.make_server(lambda user: known, channel_binding=None if binding is None else NAMED)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(("mechanism", "binding"), KINDS)
def test_our_client_and_their_server(mechanism: str, binding: bytes | None, secret: str) -> None:
    client = ScramClient(secret, mechanism, channel_binding=binding)
    server = their_server(mechanism, secret, binding)
    server.set_client_first(client.first().decode())
    server.set_client_final(client.receive(server.get_server_first().encode()).decode())
    client.finish(server.get_server_final().encode())
    assert client.done


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(("mechanism", "binding"), KINDS)
def test_their_client_and_our_server(mechanism: str, binding: bytes | None, secret: str) -> None:
    named = None if binding is None else NAMED
    client = scramp.ScramClient([mechanism], "remora", secret, channel_binding=named)
    server = ScramServer(Verifier.from_secret(secret), channel_binding=binding)
    client.set_server_first(server.start(mechanism, client.get_client_first().encode()).decode())
    client.set_server_final(server.finish(client.get_client_final().encode()).decode())
    assert server.user == "remora"


@pytest.mark.parametrize("user", ["a,b", "a=b", "=2C", "jörg"])
def test_user_names_mean_the_same_to_both(user: str) -> None:
    client = scramp.ScramClient([MECHANISM], user, "pencil")
    server = ScramServer({user: Verifier.from_secret("pencil")})
    client.set_server_first(server.start(MECHANISM, client.get_client_first().encode()).decode())
    client.set_server_final(server.finish(client.get_client_final().encode()).decode())
    assert server.user == user


@pytest.mark.parametrize(("mechanism", "binding"), KINDS)
def test_a_wrong_secret_is_refused_by_both(mechanism: str, binding: bytes | None) -> None:
    client = ScramClient("wrong", mechanism, channel_binding=binding)
    server = their_server(mechanism, "right", binding)
    server.set_client_first(client.first().decode())
    with pytest.raises(scramp.ScramException):
        server.set_client_final(client.receive(server.get_server_first().encode()).decode())
    with pytest.raises(ScramError) as caught:
        client.finish(server.get_server_final().encode())
    assert caught.value.reason == "invalid-proof"


def test_their_client_sees_our_downgrade_protection() -> None:
    client = scramp.ScramClient([MECHANISM], "remora", "pencil", channel_binding=NAMED)
    server = ScramServer(Verifier.from_secret("pencil"), channel_binding=BINDING)
    with pytest.raises(ScramError) as caught:
        server.start(MECHANISM, client.get_client_first().encode())
    assert caught.value.reason == "server-does-support-channel-binding"


def test_both_derive_the_same_keys() -> None:
    salt = b"0123456789abcdef"
    theirs = scramp.ScramMechanism(MECHANISM).make_auth_info("pencil", salt=salt)
    ours = Verifier.from_secret("pencil", salt)
    assert theirs == (ours.salt, ours.stored_key, ours.server_key, ours.iterations)
