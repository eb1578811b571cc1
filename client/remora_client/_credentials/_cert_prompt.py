"""Asking a person on the terminal: whether to trust a certificate, and for a secret. Blocks."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from remora_client._fragments import plain, sentences
from remora_client._interruptible import interruptible
from remora_client._terminal_size import size_of
from remora_client._text import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._credentials._certificates import Answer, CertificateProblem

__all__ = ["ask_certificate", "ask_secret", "asking_once", "can_ask"]

_ANSWERS: dict[str, Answer] = {
    "": "no",
    "n": "no",
    "no": "no",
    "o": "once",
    "once": "once",
    "a": "always",
    "always": "always",
}


def can_ask() -> bool:
    """Whether there is a person: what we read is a terminal, and so is what we write questions to."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty()


def ask_certificate(problem: CertificateProblem) -> Answer:
    """Show the certificate and what is wrong with it, and ask."""
    out = sys.stderr
    width = size_of(out).columns

    def say(text: str) -> None:
        print(plain(sentences(text, width)), end="", file=out)

    say(f"The certificate of {problem.place} does not prove that it is the server you mean:")
    for reason in problem.reasons:
        say(f"  - {reason}")
    say("")
    for line in problem.certificate.lines(width - 2):
        say(f"  {line}")
    say("\nCompare the fingerprint with the one that the server's owner gives you.")
    question = plain(sentences(f"Trust it? [N]o / [o]nce / [a]lways for {problem.place}:", width)).rstrip()
    while True:
        print(question, end=" ", file=out, flush=True)
        with interruptible():
            line = sys.stdin.readline()
        answer = _ANSWERS.get(line.strip().lower())
        if not line or answer is not None:
            return answer or "no"


def asking_once() -> Callable[[CertificateProblem], Answer]:
    """`ask_certificate`, which asks about a certificate only once: a secret takes a new connection."""
    trusted: set[tuple[str, str]] = set()

    def ask(problem: CertificateProblem) -> Answer:
        about = (problem.place, problem.certificate.sha256)
        answer = "once" if about in trusted else ask_certificate(problem)
        if answer == "once":
            trusted.add(about)
        return answer

    return ask


def ask_secret(address: str) -> str | None:
    """Ask for a secret, without showing it. None: there was no answer."""
    try:
        with interruptible():
            return getpass.getpass(f"Secret for {visible(address)}: ", stream=sys.stderr)
    except EOFError:
        return None
