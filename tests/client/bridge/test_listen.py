"""Where the bridge may listen, and for whom."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from remora_client._bridge._listen import owner_of_peer, parse_listen
from remora_client._errors import UsageError


def test_places_of_this_machine() -> None:
    assert parse_listen("127.0.0.1:5679") == ("127.0.0.1", 5679)
    assert parse_listen("localhost:0") == ("127.0.0.1", 0)
    assert parse_listen("[::1]:5679") == ("::1", 5679)
    assert parse_listen(":5679") == ("127.0.0.1", 5679)


@pytest.mark.parametrize(
    "text", ["0.0.0.0:1", "example.org:1", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"]
)
def test_other_places_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--listen"):
        parse_listen(text)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells whose a connection is")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_whose_a_connection_is(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        with socket.create_connection(server.getsockname()[:2]) as client:
            accepted, peer = server.accept()
            with accepted:
                assert owner_of_peer(peer, accepted.getsockname()) == os.getuid()
            assert owner_of_peer((host, 1), client.getsockname()) is None
