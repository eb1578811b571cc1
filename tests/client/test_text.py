"""Nothing that a terminal would obey gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_client._text import clip, visible, visible_block


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x7f\x80\x9b31m", r"\x7f\x80\x9b31m"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
        ("\u2028", r"\u2028"),
        ("grün 日本 👩\u200d💻", "grün 日本 👩\u200d💻"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_blocks_keep_their_lines() -> None:
    assert visible_block("a\r\n\tb\x1b\n") == "a\n    b\\x1b\n"


@given(st.text(), st.integers(0, 20))
def test_no_control_character_is_left(text: str, width: int) -> None:
    for shown in (visible(text), clip(visible(text), width)):
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
        shown.encode("utf-8")
    assert len(clip(visible(text), width)) <= width
