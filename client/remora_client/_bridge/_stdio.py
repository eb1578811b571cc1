"""Standard input and output as an editor's conversation.

Two threads read and write, because event loops cannot wait for pipes and files on every system. Nothing else
of this process may print there: standard output becomes standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
from typing import TYPE_CHECKING

from remora_client._bridge._editor import Editor

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_protocol import Message

__all__ = ["stdio_editor"]

_CHUNK = 64 * 1024


def stdio_editor(trace: Callable[[str, Message], None] | None) -> tuple[Editor, Callable[[], None]]:
    """The editor that started us, and what waits until all is written. Called on the event loop."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    source = os.dup(0)
    sink = os.dup(1)
    sys.stdout.flush()
    os.dup2(2, 1)
    outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def feed(data: bytes) -> None:
        if data:
            reader.feed_data(data)
        else:
            reader.feed_eof()

    def read() -> None:
        data = b"-"
        while data:
            try:
                data = os.read(source, _CHUNK)
            except OSError:
                data = b""
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(feed, data)

    def write() -> None:
        while (data := outgoing.get()) is not None:
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(sink, view) :]
            except OSError:  # the editor is gone; its end of the other pipe will say so
                break
        with contextlib.suppress(OSError):
            os.close(sink)

    threading.Thread(target=read, name="remora-stdin", daemon=True).start()
    writer = threading.Thread(target=write, name="remora-stdout", daemon=True)
    writer.start()
    editor = Editor(reader, outgoing.put, lambda: outgoing.put(None), trace)
    return editor, lambda: writer.join(2)
