"""A login and a conversation on the standard library alone; `test_package.py` runs it under every Python."""

from __future__ import annotations

import sys

import remora_protocol as protocol


def log_in() -> None:
    """Both sides of the bound login."""
    binding = protocol.tls_server_end_point(b"no certificate")
    client = protocol.ScramClient("pässword", protocol.MECHANISM_PLUS, channel_binding=binding)
    server = protocol.ScramServer(protocol.Verifier.from_secret("pässword"), channel_binding=binding)
    server_first = server.start(protocol.MECHANISM_PLUS, client.first())
    client.finish(server.finish(client.receive(server_first)))
    assert client.done
    assert server.user == protocol.USER


def converse() -> None:
    """A request there and its refusal back, byte by byte, with what only Python's own texts hold."""
    client, server = protocol.Connection(), protocol.Connection()
    seq, data = client.request("evaluate", {"expression": "\udcff é \N{SNOWMAN}"})
    for byte in data:
        server.receive_data(bytes([byte]))
    request = server.next_message()
    assert isinstance(request, protocol.Request)
    assert request == protocol.Request(seq, "evaluate", {"expression": "\udcff é \N{SNOWMAN}"})
    client.receive_data(server.fail(request, protocol.RequestFailed("not-stopped", "Pause it first.")))
    response = client.next_message()
    assert isinstance(response, protocol.Response)
    assert protocol.RequestFailed.from_body(response.message, response.body).code == "not-stopped"


def refuse() -> None:
    """What would end an interpreter whose recursion limit was raised, or keep it busy."""
    sys.setrecursionlimit(10**6)
    for value in (b"[" * 60_000, b"1" * 60_000, b"NaN"):
        body = b'{"seq": 1, "type": "event", "event": "x", "body": {"v": %b}}' % value
        try:
            protocol.decode_message(body)
        except protocol.RemoteProtocolError:
            continue
        raise AssertionError(body[:80])


for name in protocol.__all__:
    getattr(protocol, name)
log_in()
converse()
refuse()
assert str(protocol.parse_qualifier("tcps://a%40b@[::1]#7")) == "tcps://[::1]:5678#7"
assert protocol.match_by_name("C:\\x\\Guess.py", ["/srv/guess.py"]) == ["/srv/guess.py"]
print("done")
