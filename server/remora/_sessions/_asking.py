"""Asks the owner's `on_attach` hook whether a client may attach: nobody gets in by its silence or failure.

On the server's thread; the hook runs on threads of its own, so that it holds up nobody but those who ask to
attach. There are few such threads, also when the hook never comes back.
"""

from __future__ import annotations

import traceback
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from remora._log import log
from remora._owner._threads import run_apart

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora._network._loop import Loop
    from remora._owner._hooks import AttachHook
    from remora._owner._told import Client

    Answer = Callable[[str | None], None]

__all__ = ["Asking"]

#: Seconds until a client is refused because the hook has not answered.
_PATIENCE = 5.0
#: So many calls of the hook run at once, those that were given up included; so many more clients wait.
_MOST_AT_ONCE = 4
_MOST_WAITING = 16


class _Question:
    """One client, and what is done with the hook's answer, or with its absence: whichever comes first."""

    def __init__(self, hook: AttachHook, client: Client, answer: Answer) -> None:
        self.hook = hook
        self.client = client
        self._answer: Answer | None = answer

    @property
    def is_over(self) -> bool:
        """Whether it was answered."""
        return self._answer is None

    def settle(self, refusal: str | None) -> None:
        """Answer it, once."""
        answer, self._answer = self._answer, None
        if answer is not None:
            answer(refusal)


class Asking:
    """One per server.

    Args:
        own_threads: idents of threads that the debugger leaves alone.
    """

    def __init__(self, loop: Loop, own_threads: set[int]) -> None:
        self._loop = loop
        self._own_threads = own_threads
        self._running = 0
        self._waiting: deque[_Question] = deque()

    def ask(self, hook: AttachHook, client: Client, answer: Answer) -> None:
        """Have `answer` called with None, or with why the client may not attach; later, on this thread."""
        question = _Question(hook, client, answer)
        if len(self._waiting) >= _MOST_WAITING:
            refusal = "The program's on_attach hook has too many others to decide about."
            self._loop.call_later(0, lambda: question.settle(refusal))
            return
        self._waiting.append(question)
        self._loop.call_later(_PATIENCE, lambda: self._give_up(question))
        self._begin()

    def _begin(self) -> None:
        while self._waiting and self._running < _MOST_AT_ONCE:
            question = self._waiting.popleft()
            self._running += 1
            try:
                run_apart(partial(self._call, question), self._own_threads)
            except RuntimeError as error:
                self._end(question, f"The program's on_attach hook cannot be asked: {error}.")

    def _call(self, question: _Question) -> None:
        """On a thread of its own."""
        refusal: str | None = "The program's on_attach hook has ended its thread."
        try:
            refusal = _decide(question)
        finally:
            self._loop.post(lambda: self._end(question, refusal))

    def _end(self, question: _Question, refusal: str | None) -> None:
        self._running -= 1
        self._loop.call_later(0, lambda: question.settle(refusal))
        self._begin()

    def _give_up(self, question: _Question) -> None:
        if question in self._waiting:
            self._waiting.remove(question)
        question.settle(f"The program's on_attach hook has not answered within {_PATIENCE:g} seconds.")


def _decide(question: _Question) -> str | None:
    """Call the hook. Only what plainly says yes lets a client in."""
    try:
        answer = question.hook(question.client)
    except BaseException as error:  # also SystemExit: it is no reason to let anybody in
        log.error(f"the on_attach hook failed, so nobody is let in:\n{traceback.format_exc()}")
        return f"The program's on_attach hook failed ({type(error).__name__}), and lets nobody in then."
    if answer is None or answer is True:
        return None
    if answer is False:
        return "The program does not let you attach: its on_attach hook said no."
    log.error(f"the on_attach hook returned a {type(answer).__name__}: True or None lets in, False refuses")
    return "The program's on_attach hook answered neither True nor False, and lets nobody in then."
