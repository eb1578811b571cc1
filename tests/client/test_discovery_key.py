"""The key that lets a client into the workers that it finds: it goes in there, and nowhere else."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from remora_client._errors import CertificateRefused, NoSuchProcess
from remora_client._options import ConnectOptions
from remora_client.discovery._key import Key
from tests.client.servers import Files, Remora, Server


def enter(key: Key, server: Remora, context: ssl.SSLContext, pid: int) -> None:
    async def go_in_and_out(port: int) -> None:
        answer = {"port": port, "pid": pid}
        link = await key.enter("127.0.0.1", answer, ConnectOptions(timeout=10), "worker 1")
        await link.close()

    with Server(server, context) as listener:
        asyncio.run(go_in_and_out(int(listener.place.rpartition(":")[2])))


def own(key: Key, folder: Path) -> tuple[Remora, ssl.SSLContext]:
    """A server with the key's own certificate, as a worker has it that was switched on."""
    certfile, keyfile = folder / "own.crt", folder / "own.key"
    certfile.write_bytes(key.certificate)
    keyfile.write_bytes(key.private_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certfile, keyfile)
    der = x509.load_pem_x509_certificate(key.certificate).public_bytes(Encoding.DER)
    return Remora(secret=key.secret, certificate=der), context


def test_it_goes_in_where_it_was_left(tmp_path: Path) -> None:
    key = Key.new()
    server, context = own(key, tmp_path)
    enter(key, server, context, server.processes[0]["pid"])
    assert server.logins == 1


def test_who_has_the_port_now_does_not_get_the_login(tmp_path: Path, certificate: Files) -> None:
    """The worker ended, say, and another program listens there, which even knows the secret."""
    key = Key.new()
    server = Remora(secret=key.secret, certificate=certificate.der)
    with pytest.raises(CertificateRefused):
        enter(key, server, certificate.context(), server.processes[0]["pid"])
    assert server.logins == 0


def test_another_process_than_the_one_asked_is_refused(tmp_path: Path) -> None:
    key = Key.new()
    server, context = own(key, tmp_path)
    with pytest.raises(NoSuchProcess, match="Another process than worker 1 answers"):
        enter(key, server, context, 1)
