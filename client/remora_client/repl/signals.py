"""What signals do to the prompt. The handlers run on the event loop's thread, between two steps of it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["interrupts_of_another", "signals"]


@contextlib.contextmanager
def signals(interrupt: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C while no prompt reads keys; and who ends us or closes the terminal leaves nothing half done."""
    loop = asyncio.get_running_loop()
    handlers = {signal.SIGINT: interrupt}
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        if number := getattr(signal, name, None):
            handlers[number] = partial(_end, number)
    try:
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
    except (NotImplementedError, RuntimeError, ValueError):
        yield  # Windows, or not the main thread: KeyboardInterrupt does it
        return
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def interrupts_of_another(interrupt: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C comes to us, too, while another program has the terminal: what it means is that one's to say.

    Args:
        interrupt: what it does afterwards.
    """
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, lambda: None)
    except (NotImplementedError, RuntimeError, ValueError):
        yield
        return
    try:
        yield
    finally:
        loop.add_signal_handler(signal.SIGINT, interrupt)


def _end(number: int) -> None:
    raise SystemExit(128 + number)  # ends the event loop, and with it everything in order
