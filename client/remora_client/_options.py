"""How to connect and to attach: what the command line and the scripting API say about it. Plain data."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from remora_client._records import record
from remora_client._transport._deadline import Deadline

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from remora_client._credentials._certificates import Answer, CertificateProblem
    from remora_client._model import StopMode
    from remora_protocol import Message

__all__ = ["AttachOptions", "ConnectOptions", "attach_options", "connect_options"]


def _ignore(text: str) -> None:
    """Drop a note."""


@record
class ConnectOptions:
    """Everything that `connect` wants to know beside the qualifier.

    Attributes:
        secret_file: a file whose first line is the secret.
        cafile: PEM file of authorities to trust instead of the system's.
        fingerprint: SHA-256 of the one certificate to trust, hex, colons allowed.
        certfile, keyfile: our own certificate, for servers that want one.
        observe: the secret is the one that lets us look and run no code.
        hold: seconds that the program is to wait for us when the connection is lost; 0: not at all.
        follow: forked children wait a moment for us to attach to them, too.
        legacy_tls: also speak TLS 1.0, which an old ptvsd has nothing newer than.
        rescue: free an old ptvsd that believes in a debugger which is gone, at the price that
            docs/ptvsd.md tells.
        via: a command whose standard input and output lead to `python -m remora proxy --stdio`.
        remote_python: what runs Python at the far side of ssh, for its shell; "": REMORA_REMOTE_PYTHON, or
            python3.
        timeout: seconds for all of connecting, from the name to the login; and for each request after it.
        deadline: of the connecting that goes on; None: `timeout` seconds from its beginning.
        ask_secret: asks the person for a secret, given the address; None: never ask.
        ask_certificate: shows a problem and asks; None: never ask, refuse.
        note: told things worth knowing that are no errors.
        trace: told every message: an arrow, and what went over the wire.
    """

    secret_file: str | None = None
    cafile: str | None = None
    fingerprint: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    timeout: float = 10.0
    observe: bool = False
    hold: float = 0.0
    follow: bool = False
    legacy_tls: bool = False
    rescue: bool = False
    via: str | None = None
    remote_python: str = ""
    deadline: Deadline | None = None
    ask_secret: Callable[[str], str | None] | None = None
    ask_certificate: Callable[[CertificateProblem], Answer] | None = None
    note: Callable[[str], None] = _ignore
    trace: Callable[[str, Message], None] | None = None

    def begin(self) -> ConnectOptions:
        """The same, with the clock running, if it does not run yet."""
        return self if self.deadline is not None else replace(self, deadline=Deadline(self.timeout))

    def restart_clock(self) -> None:
        """What has gone by was not the other end's doing: it has all of the time again."""
        if self.deadline is not None:
            self.deadline.restart()

    @property
    def left(self) -> float:
        """Seconds for what is waited for next."""
        return self.timeout if self.deadline is None else self.deadline.left


@record
class AttachOptions:
    """How a process is attached to, whichever it is.

    Attributes:
        source: folders on this machine that hold the program's files.
        force: take over from whoever is attached now.
        just_my_code: have steps pass by library code.
        redirect_output: be told what the program prints.
        stop_mode: whether a stop holds all threads, or only the one that makes it.
        stop_on_entry: have a program that waits for a client stop where it goes on, and pause any other.
    """

    source: Sequence[str] = ()
    force: bool = False
    just_my_code: bool = True
    redirect_output: bool = True
    stop_mode: StopMode = "all"
    stop_on_entry: bool = False


def attach_options(arguments: Namespace) -> AttachOptions:
    """What the command line says of attaching."""
    return AttachOptions(arguments.source, arguments.force, stop_on_entry=arguments.stop_on_entry)


def connect_options(arguments: Namespace) -> ConnectOptions:
    """What the command line says of connecting. Asks only where there is a terminal."""
    from remora_client._credentials import _cert_prompt

    ask = _cert_prompt.can_ask()
    return ConnectOptions(
        secret_file=arguments.secret_file,
        cafile=arguments.cafile,
        fingerprint=arguments.fingerprint,
        certfile=arguments.cert,
        keyfile=arguments.key,
        observe=arguments.observe,
        hold=getattr(arguments, "hold", None) or 0.0,
        legacy_tls=arguments.legacy_tls,
        rescue=arguments.rescue,
        via=arguments.via,
        remote_python=arguments.remote_python or "",
        timeout=getattr(arguments, "connect_timeout", None) or 10.0,
        ask_secret=_cert_prompt.ask_secret if ask else None,
        ask_certificate=_cert_prompt.asking_once() if ask else None,
        note=_note,
        trace=_tracer(bodies=arguments.verbose > 1) if arguments.verbose else None,
    )


def _note(text: str) -> None:
    print(f"remora: {text}", file=sys.stderr)


def _tracer(*, bodies: bool) -> Callable[[str, Message], None]:
    from remora_client._transport._trace import describe

    def trace(arrow: str, message: Message) -> None:
        print(f"remora: {describe(arrow, message, bodies=bodies)}", file=sys.stderr)

    return trace
