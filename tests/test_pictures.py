"""The pictures in the documentation are what is to be seen today."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from tests.support.interpreters import ROOT
from tests.support.picture import Cell, Row, masked, svg

PICTURES = sorted(path.stem for path in (ROOT / "docs" / "pictures").glob("*.svg"))


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_fresh(name: str) -> None:
    check = [sys.executable, str(ROOT / "scripts" / "gen_pictures.py"), "--check", name]
    ran = subprocess.run(check, capture_output=True, text=True, timeout=110, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_there_are_pictures() -> None:
    assert set(PICTURES) >= {"layout", "stop"}


def row(text: str) -> Row:
    return [Cell(each) for each in text]


def text(cells: Row) -> str:
    return "".join(cell.text for cell in cells)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("at 31234 now   │x", "at 5678 now    │x"),
        ("── 31234 ──────│x", "── 5678 ───────│x"),
        ("31234", "5678 "),
        ("nothing", "nothing"),
    ],
)
def test_what_changes_from_run_to_run_is_masked(before: str, after: str) -> None:
    assert text(masked(row(before), {"31234": "5678"})) == after
    if "5678" in after and after.count(" ") > 2:
        assert text(masked(row(after), {"5678": "31234"})) == before


def test_a_picture_is_xml_with_the_text_of_the_screen() -> None:
    cells = [Cell("a", bold=True), Cell("<"), Cell("語", "red"), Cell("", "red"), Cell("b", reverse=True)]
    picture = ET.fromstring(svg([cells, row("  c  ")], "a & b"))
    texts = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["a", "<", "語", "b", "c"]
    wide = next(each for each in picture.iter() if each.text == "語")
    assert wide.get("class") == "f-red"
    assert wide.get("textLength") == "16.8"
