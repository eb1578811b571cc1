"""What a line being typed is made of: colours, completion, history, keys, the prompt before it, and the bar.

One for a session; the prompt in lines and the one under a layout share it. Runs on the event loop's thread.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prompt_toolkit.auto_suggest import AutoSuggestFromHistory

from remora_client.commands import classify
from remora_client.repl.completer import LineCompleter
from remora_client.repl.history import ProjectHistory, history_file
from remora_client.repl.key_bindings import key_bindings
from remora_client.repl.lexer import LineLexer
from remora_client.repl.toolbar import About, toolbar
from remora_client.repl.validator import known, needs_more

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from remora_client._fragments import Fragments
    from remora_client.commands import Line
    from remora_client.repl.app import Repl

__all__ = ["LineEditor"]


class LineEditor:
    """The parts, each with prompt_toolkit's name for it."""

    def __init__(self, repl: Repl) -> None:
        self._repl = repl
        secret = repl.session.link.secret
        self.lexer = LineLexer(lambda: repl.names, lambda: repl.ctx.bare_names, lambda: repl.ctx.as_variables)
        self.completer = LineCompleter(repl.ctx, lambda: repl.names)
        self.history = ProjectHistory(history_file(os.getcwd()), [secret.text] if secret else [])
        self.auto_suggest = AutoSuggestFromHistory()
        self.key_bindings = key_bindings(self._goes_on, repl.interrupt)

    def _goes_on(self, text: str) -> bool:
        return needs_more(text, self._repl.names, known(self._repl.session.breakpoints))

    def message(self) -> StyleAndTextTuples:
        """The prompt: green while the program stands, with the frame's number when it is not the newest."""
        repl = self._repl
        stopped = repl.session.stop is not None
        frame = repl.session.selected
        where = f"#{frame.index} " if frame is not None and frame.index and stopped else ""
        name = ">>>" if repl.ctx.interacting else "remora❯"
        if repl.session.depth > 1:
            name = f"({repl.session.depth}) {name}"
        if repl.ctx.member is not None:
            name = f"{repl.ctx.member.number} {name}"
        mark: Fragments = [("class:prompt" if stopped else "class:prompt.running", f"{where}{name} ")]
        return [*repl.printer.fragments(mark)]

    def continuation(self, width: int, number: int, wrapped: int) -> StyleAndTextTuples:
        """What stands before a further line."""
        return [*self._repl.printer.fragments([("class:dim", "…".rjust(width - 1) + " ")])]

    def toolbar(self, text: str, width: int) -> StyleAndTextTuples:
        """The bar, which also says what the text being typed will do."""
        repl = self._repl
        session = repl.session
        process = session.process
        about = About(
            session.link.address.rpartition("://")[2],
            session.link.certificate is not None,
            process["pid"] if process else None,
            process["name"] if process else "",
            session.observes,
        )
        stop = session.stop
        frame = session.selected or (stop.frame if stop else None)
        return [*repl.printer.fragments(toolbar(about, session.state, frame, self._line(text), width))]

    def _line(self, text: str) -> Line | None:
        if not text.strip():
            return None
        ctx = self._repl.ctx
        return classify(text, self._repl.names, bare_names=ctx.bare_names, as_variables=ctx.as_variables)
