"""Expressions and statements that a person types, and assignments to expressions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from remora._control import _evaluate
from remora._handlers._jobs import on_thread
from remora._handlers._summary import Summary, shown, summarize
from remora._handlers._table import Deferred, handles
from remora._inspection._values import CLIPBOARD, DETAIL, SHORT, Renderer
from remora._interpreter._compiling import parse_quietly
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._interpreter._frames import Frame
    from remora._sessions._session import Session

__all__ = ["evaluate"]

_LIMITS = {"repl": DETAIL, "clipboard": CLIPBOARD, "watch": SHORT, "hover": SHORT, "variables": SHORT}
#: What nobody asked for by a key press must not take long.
_PATIENCE = {"watch": 5.0, "hover": 2.0, "variables": 5.0}


@handles("evaluate")
def evaluate(session: Session, arguments: Arguments) -> Deferred:
    """Evaluate in a frame of a stopped thread. In the context `repl` statements are taken as well."""
    return _evaluated(session, arguments, arguments.text("context", "watch"))


@handles("remora/call")
def call(session: Session, arguments: Arguments) -> Deferred:
    """The same, but breakpoints in what it calls stop the program; the answer comes when the call is over.

    The thread then stands where it stood before, and is told of as stopped there once more.
    """
    return _evaluated(session, arguments, "repl", is_nested=True)


def _evaluated(session: Session, arguments: Arguments, context: str, *, is_nested: bool = False) -> Deferred:
    server = session.server
    text = arguments.text("expression")
    frame = _frame(session, arguments)
    as_hex = arguments.child("format").flag("hex")
    if context == "hover":
        _refuse_calls(text)
    special = {**_special(session, frame), **session.results.named_in(text)}
    keep = arguments.child("remora").flag("keep")
    kept: list[int] = []

    def say(note: str) -> None:
        server.loop.post(lambda: session.note(note))

    def work() -> Summary | None:
        outcome = _evaluate.evaluate(
            text, frame.frame, statements=context == "repl", special=special, say=say
        )
        if not outcome.has_value:
            return None
        if keep and outcome.value is not None:
            kept.append(session.results.keep(outcome.value))
        return summarize(outcome.value, Renderer(_LIMITS.get(context, DETAIL)), as_hex=as_hex)

    def build(summary: Summary | None) -> dict[str, Any]:
        if summary is None:
            return {"result": "", "variablesReference": 0}
        expression = text.strip() if _is_plain(text) else f"({text.strip()})"
        body = shown(summary, frame, expression, session.references)
        return {**body, "remora": {"number": kept[0]}} if kept else body

    patience = _PATIENCE.get(context)
    return on_thread(
        session,
        frame.thread_id,
        work,
        build,
        timeout=patience,
        is_patient=patience is None,
        is_nested=is_nested,
    )


@handles("setExpression", capability="supportsSetExpression")
def set_expression(session: Session, arguments: Arguments) -> Deferred:
    """Assign to whatever an expression names; to `$retval`, what the caller of a returning function gets."""
    server = session.server
    target, text = arguments.text("expression"), arguments.text("value")
    frame = _frame(session, arguments)
    special = _special(session, frame)
    returned = server.debugger.require_changeable_value(frame.thread_id) if target == "$retval" else None

    def work() -> Summary:
        if returned is None:
            value = _evaluate.assign(target, text, frame.frame)
        else:
            value = _evaluate.evaluate(text, frame.frame, statements=False, special=special).value
            returned.value = value
        return summarize(value, Renderer(SHORT))

    def build(summary: Summary) -> dict[str, Any]:
        body = shown(summary, frame, target, session.references)
        body["value"] = body.pop("result")
        return body

    return on_thread(session, frame.thread_id, work, build)


def _frame(session: Session, arguments: Arguments) -> Frame:
    """The frame to evaluate in; without one, the module that the stopped program began with."""
    debugger = session.server.debugger
    number = arguments.optional_number("frameId")
    if number is not None:
        frame = debugger.frame(number)
        if debugger.stop_info(frame.thread_id) is None:
            raise debugger.not_stopped(frame.thread_id)
        return frame
    for info in debugger.threads():
        stop = debugger.stop_info(info.id)
        if stop is not None and stop.frame is not None:
            frames = debugger.frames(info.id)
            modules = [frame for frame in frames if frame.name == "<module>"]
            return (modules or frames)[-1]
    raise RequestFailed("not-stopped", "The program is running: stop it first.")


def _special(session: Session, frame: Frame) -> dict[str, Any]:
    stop = session.server.debugger.stop_info(frame.thread_id)
    if stop is None:
        return {}
    found: dict[str, Any] = {}
    error = stop.error if stop.shown_error is None else stop.shown_error.error
    if error is not None:
        found["$exc"] = error
    if stop.last_returned is not None:
        found["$retval"] = stop.last_returned.value
    return found


def _refuse_calls(text: str) -> None:
    """Pointing at something must not run it."""
    try:
        tree = parse_quietly(text.strip(), "eval")
    except (SyntaxError, ValueError):
        return  # evaluating it will say so
    if any(isinstance(node, (ast.Call, ast.Await, ast.NamedExpr, ast.Yield)) for node in ast.walk(tree)):
        raise RequestFailed("evaluation-failed", "Not evaluated on hover: it would call something.", False)


def _is_plain(text: str) -> bool:
    """Whether `.x` can be put behind it without brackets."""
    try:
        tree = parse_quietly(text.strip(), "eval").body
    except (SyntaxError, ValueError):
        return False
    return isinstance(tree, (ast.Name, ast.Attribute, ast.Subscript, ast.Call))
