"""Light and dark: how the terminal's background is found out, and what the colours make of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from prompt_toolkit.output.vt100 import _16ColorCache
from prompt_toolkit.styles import Attrs
from pygments.styles import get_all_styles

from remora_client.repl.background import Background, told_by_environment, told_by_terminal
from remora_client.repl.style import _LOST, _RULES, style
from tests.support.command import Remora
from tests.support.interpreters import NEWEST
from tests.support.program import Program

COLOUR = {"NO_COLOR": "", "PROMPT_TOOLKIT_COLOR_DEPTH": "DEPTH_24_BIT", "COLORFGBG": ""}
LIGHT, DARK = "rgb:ffff/ffff/ffff", "rgb:1e1e/1e1e/1e1e"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("15;0", "dark"),
        ("0;15", "light"),
        ("0;default;15", "light"),
        ("7;8", "dark"),
        ("0;7", "light"),
        ("", None),
        ("default;default", None),
    ],
)
def test_what_the_environment_says(value: str, found: str | None) -> None:
    assert told_by_environment({"COLORFGBG": value}) == found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;c", "light"),
        (b"\x1b]11;rgb:00/2b/36\x07\x1b[?6c", "dark"),
        (b"\x1b]11;rgba:f/f/f/f\x07", "light"),
        (b"\x1b[?62;4c", None),
        (b"", None),
    ],
)
def test_what_the_terminal_says(answer: bytes, found: str | None) -> None:
    assert told_by_terminal(answer) == found


def test_what_is_dim_is_not_lost_where_bright_black_is_the_background() -> None:
    def dim(background: Background | None) -> str | None:
        look: Attrs = style("terminal", background).get_attrs_for_style_str("class:dim")
        return look.color

    assert dim(None) == "ansibrightblack"
    assert dim("light") == "6a6a6a"
    assert dim("dark") == "909090"


@pytest.mark.parametrize("theme", sorted(get_all_styles()))
def test_every_style_of_pygments_can_be_read_on_both(theme: str) -> None:
    for background in ("light", "dark"):
        look: Attrs = style(theme, background).get_attrs_for_style_str("class:pygments.keyword")
        colour = re.fullmatch("[0-9a-fA-F]{6}", look.color or "")
        if colour is None:
            continue  # the terminal's own colour, or none: that fits
        red, green, blue = (int(look.color[at : at + 2], 16) / 255 for at in (0, 2, 4))  # type: ignore[index]
        bright = 0.299 * red + 0.587 * green + 0.114 * blue
        assert bright < 0.8 if background == "light" else bright > 0.2, (theme, background, look.color)


def test_the_terminals_own_colours_are_darker_on_a_light_background() -> None:
    def of(background: str | None) -> str | None:
        return style("terminal", background).get_attrs_for_style_str("class:warning").color

    assert of("dark") == of(None) == "ansiyellow"
    assert of("light") != "ansiyellow"


def contrast(one: str, other: str) -> float:
    """WCAG's: from 1 to 21; text that matters needs 4.5."""

    def luminance(colour: str) -> float:
        parts = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
        red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("background", "grounds"),
    [("light", ("ffffff", "fdf6e3")), ("dark", ("000000", "1e1e1e", "002b36"))],  # Solarized's, too
)
def test_every_colour_of_ours_can_be_read(background: Background, grounds: tuple[str, ...]) -> None:
    looks = style("terminal", background)
    for name in _RULES:
        look = looks.get_attrs_for_style_str(f"class:{name}")
        for ground in [look.bgcolor] if look.bgcolor else grounds:
            if re.fullmatch("[0-9a-f]{6}", look.color or ""):
                assert contrast(look.color or "", ground) >= 4.5, (name, look.color, ground)
            else:
                # Of the terminal's own colours only those are left that its theme has made for that ground.
                own = ("", "ansigreen", "ansiyellow", "ansicyan") if background == "dark" else ("",)
                assert look.color in own, (name, look.color)


@pytest.mark.parametrize("background", ["light", "dark"])
def test_a_colour_stays_itself_on_a_terminal_of_sixteen(background: Background) -> None:
    for own, ours in _LOST[background].items():
        red, green, blue = (int(ours[at : at + 2], 16) for at in (1, 3, 5))
        _, nearest = _16ColorCache().get_code((red, green, blue))
        same = {own, own.replace("ansi", "ansibright")} | ({"ansicyan"} if own == "ansiblue" else set())
        assert nearest in same, (own, ours, nearest)


@pytest.fixture
def program() -> Iterator[Program]:
    assert NEWEST is not None
    with Program(NEWEST, "loop.py", enable={"secret": None}) as started:
        started.wait_line("started")
        yield started


@pytest.mark.parametrize("background", [LIGHT, DARK])
def test_a_terminal_is_asked_and_its_answer_is_no_key(
    remora: Remora, program: Program, background: str
) -> None:
    command = ("attach", program.qualifier, "-c", "set theme monokai", "-c", "pause")
    with remora.terminal(*command, env=COLOUR, background=background) as terminal:
        terminal.see("^remora❯$")
        terminal.see("while")
        colours = {
            cell.fg for row in terminal.cells() for cell in row if re.fullmatch("[0-9a-f]{6}", cell.fg)
        }
        assert colours
        assert ("66d9ef" in colours) is (background == DARK), colours  # monokai's keywords
        assert terminal.raw.count(b"\x1b]11;?") == 1
        terminal.press("quit -c\r")
        assert terminal.returncode() == 0


@pytest.mark.parametrize(
    ("background", "menu"), [(LIGHT, ("202020", "dddddd")), (DARK, ("e6e6e6", "3a3a3a"))]
)
def test_a_menu_can_be_read_on_its_own_background(
    remora: Remora, program: Program, background: str, menu: tuple[str, str]
) -> None:
    with remora.terminal("attach", program.qualifier, env=COLOUR, background=background) as terminal:
        terminal.see("^remora❯$")
        terminal.press("thr\t")
        row = terminal.row_of(r"^ +threads +List the threads") - 1
        terminal.rest(0.3)
        column = terminal.text.splitlines()[row].index("List")
        cell = terminal.cells()[row][column]
        assert (cell.fg, cell.bg) == menu
        terminal.press("\x03")
        terminal.press("quit -c\r")
        assert terminal.returncode() == 0


def test_what_is_typed_before_the_prompt_is_not_lost(remora: Remora, program: Program) -> None:
    with remora.terminal("attach", program.qualifier, env=COLOUR, background=DARK) as terminal:
        terminal.child.send("set theme")
        terminal.see("^remora❯ set theme$")
        terminal.press("\r")
        terminal.see("^theme is terminal$")
        assert b"\x1b]11;?" in terminal.raw
        terminal.press("quit -c\r")
        assert terminal.returncode() == 0


@pytest.mark.parametrize("environment", [{"COLORFGBG": "0;15"}, {"NO_COLOR": "1"}])
def test_a_terminal_is_not_asked_for_nothing(
    remora: Remora, program: Program, environment: dict[str, str]
) -> None:
    with remora.terminal("attach", program.qualifier, env={**COLOUR, **environment}) as terminal:
        terminal.see("^remora❯$")
        assert b"\x1b]11;?" not in terminal.raw
        terminal.press("set background light\r")
        terminal.see("background is light")
        terminal.press("quit -c\r")
        assert terminal.returncode() == 0
