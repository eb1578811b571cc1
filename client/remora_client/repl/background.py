"""Is the terminal's background light or dark? Told by the environment, or asked of the terminal itself.

Used on the event loop's thread, before a prompt reads keys: a later answer would be taken for keys.
"""

from __future__ import annotations

import os
import re
import select
import sys
import time
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_toolkit.key_binding import KeyPress

__all__ = ["Background", "brightness", "detect", "told_by_environment", "told_by_terminal"]

Background: TypeAlias = 'Literal["light", "dark"]'

_PATIENCE = 0.5  # seconds; terminals answer at once, and some are behind a slow line
# What is the background (OSC 11)? And who are you? All terminals know the second question, and they answer in
# order: there is nothing to wait for after that.
_QUESTION = b"\x1b]11;?\x1b\\\x1b[c"
_ANSWER = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
_END = re.compile(rb"\x1b\[\?[\d;]*c")
_ANSWERS = re.compile(rb"\x1b\]11;[^\x07\x1b]*(?:\x07|\x1b\\)|" + _END.pattern)


def detect() -> Background | None:
    """What can be found out; None: nothing."""
    found = told_by_environment()
    if found is None:
        answer = _ask()
        _type_ahead(_ANSWERS.sub(b"", answer))
        found = told_by_terminal(answer)
    return found


def told_by_environment(environment: Mapping[str, str] = os.environ) -> Background | None:
    """What COLORFGBG says, as rxvt and Konsole set it: "15;0" is white on black."""
    number = environment.get("COLORFGBG", "").rpartition(";")[2]
    if not number.isdecimal():
        return None
    return "light" if int(number) in (7, *range(9, 16)) else "dark"


def told_by_terminal(answer: bytes) -> Background | None:
    """What an answer to OSC 11 says: `rgb:ffff/ffff/ffff`, in one to four digits each."""
    found = _ANSWER.search(answer)
    if found is None:
        return None
    red, green, blue = (int(each, 16) / (16 ** len(each) - 1) for each in found.groups())
    return "light" if brightness(red, green, blue) > 0.5 else "dark"


def brightness(red: float, green: float, blue: float) -> float:
    """How bright a colour is for an eye: black is 0, white is 1."""
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _ask() -> bytes:
    """What the terminal answers, and what is typed in that moment; nothing where a line waits already."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return b""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        return b""
    reading, writing = sys.stdin.fileno(), sys.stdout.fileno()
    if select.select([reading], [], [], 0)[0]:
        return b""
    before = termios.tcgetattr(reading)
    try:
        tty.setcbreak(reading, termios.TCSANOW)
        os.write(writing, _QUESTION)
        return _read(reading)
    except OSError:
        return b""
    finally:
        termios.tcsetattr(reading, termios.TCSANOW, before)


def _type_ahead(typed: bytes) -> None:
    """Keep for the prompt what was typed before there was one."""
    if not typed:
        return
    from prompt_toolkit.application import get_app_session
    from prompt_toolkit.input.typeahead import store_typeahead
    from prompt_toolkit.input.vt100_parser import Vt100Parser

    keys: list[KeyPress] = []
    parser = Vt100Parser(keys.append)
    parser.feed_and_flush(typed.decode("utf-8", "replace"))
    store_typeahead(get_app_session().input, keys)


def _read(descriptor: int) -> bytes:
    answer = b""
    end = time.monotonic() + _PATIENCE
    while (left := end - time.monotonic()) > 0 and not _END.search(answer):
        if select.select([descriptor], [], [], left)[0]:
            answer += os.read(descriptor, 1024)
    return answer
