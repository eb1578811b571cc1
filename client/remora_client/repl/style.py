"""The colours, by class. The terminal's own sixteen are used, so that they fit its theme, light or dark.

A style of pygments has colours of its own, which are made to be read on the background that there is.
"""

from __future__ import annotations

import colorsys
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from prompt_toolkit.styles import BaseStyle, Style

from remora_client.repl.background import brightness

if TYPE_CHECKING:
    from remora_client.repl.background import Background

__all__ = ["style"]

_COLOUR = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
_PALE, _DIM = 0.62, 0.35  # how bright a colour may be on white, and must be on black
_STEPS = 10

_RULES = {
    "dim": "ansibrightblack",
    "error": "ansired",
    "warning": "ansiyellow",
    "heading": "bold",
    "name": "",
    "type": "ansibrightblack",
    "command": "ansicyan bold",
    "usage": "ansicyan",
    "function": "bold",
    "path": "ansicyan",
    "line": "ansicyan",
    "punctuation": "ansibrightblack",
    "breakpoint": "ansired",
    "breakpoint.off": "ansibrightblack",
    "source.current": "ansigreen bold",
    "source.number": "ansibrightblack",
    "source.bar": "ansibrightblack",
    "source.note": "ansibrightblack italic",
    "stop.breakpoint": "ansired bold",
    "stop.exception": "ansired bold",
    "stop.pause": "ansiyellow bold",
    "stop.step": "ansigreen bold",
    "state.stopped": "ansigreen",
    "state.running": "ansibrightblack",
    "state.native": "ansiyellow",
    "state.untraced": "ansibrightblack",
    "output.stdout": "ansiblue",
    "output.stderr": "ansired",
    "output.console": "ansibrightblack",
    "narration": "ansimagenta bold",
    "secure": "ansigreen",
    "insecure": "ansiyellow",
    # panes
    "pane.border": "ansibrightblack",
    "pane.title": "bold",
    "pane.title.focused": "bold reverse",
    "pane.about": "ansibrightblack",
    "pane.mark": "ansibrightblack",
    "pane.chosen": "reverse",
    "variable.changed": "ansimagenta bold",
    # the prompt
    "prompt": "ansigreen bold",
    "prompt.running": "ansibrightblack",
    "line-command": "ansicyan bold",
    "line-hint": "ansibrightblack italic",
    "bottom-toolbar": "noreverse",
    "toolbar": "noreverse ansibrightblack",
    "toolbar.strong": "bold",
    "toolbar.stopped": "ansigreen bold",
    "toolbar.running": "ansiblue bold",
    "toolbar.ended": "ansired bold",
    "toolbar.secure": "ansigreen",
    "auto-suggestion": "ansibrightblack",
    # Python
    "pygments.keyword": "ansimagenta",
    "pygments.keyword.constant": "ansiyellow",
    "pygments.operator.word": "ansimagenta",
    "pygments.literal.string": "ansigreen",
    "pygments.literal.string.doc": "ansibrightblack",
    "pygments.literal.number": "ansiyellow",
    "pygments.comment": "ansibrightblack italic",
    "pygments.name.function": "ansiblue",
    "pygments.name.class": "ansiblue bold",
    "pygments.name.decorator": "ansiblue",
    "pygments.name.builtin": "ansicyan",
    "pygments.name.exception": "ansired",
}


# What is lost on a background in many themes (Solarized's bright black is its background), and what is not.
_LOST: dict[Background, dict[str, str]] = {
    "light": {
        "ansiyellow": "#806a00",
        "ansicyan": "#006b7d",
        "ansigreen": "#116329",
        "ansibrightblack": "#6a6a6a",
        "ansiblue": "#0451a5",
        "ansimagenta": "#a0119e",
        "ansired": "#b5200d",
    },
    "dark": {
        "ansiblue": "#6ba7ff",
        "ansibrightblack": "#909090",
        "ansimagenta": "#d670d6",
        "ansired": "#ff5555",
    },
}


def _menu(plain: str, chosen: str, command: str) -> dict[str, str]:
    return {
        "completion-menu": plain,
        "completion-menu.completion": "",
        "completion-menu.completion.current": chosen,
        "completion-menu.meta.completion": plain,
        "completion-menu.meta.completion.current": chosen,
        "completion-menu.command": command,
    }


# A menu has a background of its own, and its text has to be read on that. Where nobody knows what stands out,
# the terminal's own two colours change places: its "white" may be dark, and its "black" light.
_MENUS: dict[Background | None, dict[str, str]] = {
    None: _menu("reverse default bg:default", "noreverse bold default bg:default", "bold"),
    "light": _menu("bg:#dddddd #202020", "reverse bg:#ffffff #404040", "#006b7d bold"),
    "dark": _menu("bg:#3a3a3a #e6e6e6", "reverse bg:#202020 #e6e6e6", "ansicyan bold"),
}


@lru_cache(maxsize=8)
def style(theme: str = "terminal", background: Background | None = None) -> BaseStyle:
    """All rules as one style.

    Args:
        theme: "terminal" for its own colours, or a style of pygments, which then colours what is Python.
        background: what the text stands on; None: nobody knows, and all colours are used as they are.
    """
    rules = _RULES
    if background is not None:
        rules = {name: _seen(rule, background) for name, rule in _RULES.items()}
    rules = rules | _MENUS[background]
    if theme == "terminal":
        return Style.from_dict(rules)
    from prompt_toolkit.styles import merge_styles, style_from_pygments_dict
    from pygments.styles import get_style_by_name

    python = dict(get_style_by_name(theme).styles)
    if background is not None:
        python = {token: _readable(rule, background) for token, rule in python.items()}
    ours = Style.from_dict({name: rule for name, rule in rules.items() if not name.startswith("pygments.")})
    return merge_styles([style_from_pygments_dict(python), ours])


def _seen(rule: str, background: Background) -> str:
    return " ".join(_LOST[background].get(word, word) for word in rule.split())


def _readable(rule: str, background: Background) -> str:
    """A rule of pygments with its colour made darker or lighter, where it would be lost on the background."""
    if "bg:" in rule:
        return rule  # it brings a background of its own
    return _COLOUR.sub(lambda found: _far_from(found[1], background), rule)


def _far_from(digits: str, background: Background) -> str:
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    for _ in range(_STEPS):
        bright = brightness(red, green, blue)
        if bright < _PALE if background == "light" else bright > _DIM:
            break
        lightness += -0.1 if background == "light" else 0.1
        red, green, blue = colorsys.hls_to_rgb(hue, min(max(lightness, 0.0), 1.0), saturation)
    return "#" + "".join(f"{round(each * 255):02x}" for each in (red, green, blue))
