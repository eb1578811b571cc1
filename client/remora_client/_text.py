"""Making text from the other end fit for a terminal. Pure.

Whatever comes from a debuggee may hold escape sequences that move the cursor, retitle the window or
answer for the person. `visible` shows such characters instead of sending them.
"""

from __future__ import annotations

import unicodedata

__all__ = ["clip", "visible", "visible_block"]

# Cc control, Cf format (bidirectional overrides, zero width), Cs lone surrogates, Co private use,
# Zl and Zp line separators. Cn (unassigned) is left alone: new emoji are unassigned to old Pythons.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Needed inside ordinary text: the joiners of emoji and of several scripts.
_HARMLESS = frozenset("\u200c\u200d")


def _shown(character: str) -> str:
    short = _SHORT.get(character)
    if short is not None:
        return short
    if character in _HARMLESS or unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """One line of safe text: control characters become their Python escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def visible_block(text: str) -> str:
    """Several lines of safe text: newlines stay, tabs become blanks, all else as `visible`."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(visible(line.expandtabs(4)) for line in lines)


def clip(text: str, width: int) -> str:
    """At most `width` characters, with a mark where something was cut off."""
    if len(text) <= width:
        return text
    return text[: max(width - 1, 0)] + "…" if width > 0 else ""
