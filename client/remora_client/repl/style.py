"""The colours, by class. The terminal's own sixteen are used, so that they fit its theme, light or dark."""

from __future__ import annotations

from functools import lru_cache

from prompt_toolkit.styles import BaseStyle, Style

__all__ = ["style"]

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
    "completion-menu": "bg:ansibrightblack ansiwhite",
    "completion-menu.completion": "",
    "completion-menu.completion.current": "reverse",
    "completion-menu.meta.completion": "ansiwhite",
    "completion-menu.meta.completion.current": "reverse",
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


@lru_cache(maxsize=4)
def style(theme: str = "terminal") -> BaseStyle:
    """All rules as one style; a theme is a style of pygments, which colours what is Python."""
    if theme == "terminal":
        return Style.from_dict(_RULES)
    from prompt_toolkit.styles import merge_styles, style_from_pygments_cls
    from pygments.styles import get_style_by_name

    ours = Style.from_dict({name: rule for name, rule in _RULES.items() if not name.startswith("pygments.")})
    return merge_styles([style_from_pygments_cls(get_style_by_name(theme)), ours])
