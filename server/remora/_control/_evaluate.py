"""Evaluates what a person types in a frame: an expression if it is one, else statements.

Runs on the stopped thread. Names are looked up and assigned as the frame's own code would, also inside
comprehensions, lambdas and functions, for which Python's `eval` does not see local variables: there the code
is compiled as a function whose parameters are the frame's variables.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from types import CodeType, CoroutineType
from typing import TYPE_CHECKING, Any

from remora._control import _awaiting
from remora._control._calls import GivenUp
from remora._interpreter import _frames
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    Say = Callable[[str], None]

__all__ = ["Outcome", "assign", "describe", "evaluate"]

#: The file name of evaluated code; frames of it are Remora's own.
_FILENAME = _frames.EVALUATED

_SPECIAL = {"$exc": "__remora_exception__", "$retval": "__remora_returned__"}
_RESULTS = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\$(\d+|_)(?!\w)"""
)  # strings stay as they are
_STORE = "__remora_store__"
_FUNCTION = "__remora_function__"
_RESULT = "__remora_result__"


@dataclass(frozen=True)
class Outcome:
    """What came of it. `has_value` is False after statements, which have none."""

    value: Any = None
    has_value: bool = True


def evaluate(
    text: str,
    frame: FrameType,
    *,
    statements: bool = True,
    special: dict[str, Any] | None = None,
    say: Say = lambda text: None,
) -> Outcome:
    """Run the text in the frame.

    Args:
        text: an expression, or with `statements` any number of statements; the value of a last one that is an
            expression is the outcome.
        special: values of `$exc`, `$retval`, `$1` and the like.
        say: told what the person should know about how it was evaluated.

    Raises:
        GivenUp: it was cancelled.
        RequestFailed: it is no Python, or it raised something, be it SystemExit.
    """
    special = special or {}
    try:
        module = _parse(text, statements, special)
        if "$_" in special and not _knows_underscore(frame):
            module = _with_last(module)
        return _Evaluation(frame, special, say).run(module)
    except (RequestFailed, GivenUp):
        raise
    except BaseException as error:
        raise RequestFailed("evaluation-failed", describe(error)) from None


def assign(target: str, value_text: str, frame: FrameType) -> Any:
    """Assign the value of one expression to a place that another one names; returns the value.

    Raises:
        RequestFailed: as `evaluate`; or the target is nothing that can be assigned to.
    """
    try:
        place = ast.parse(target.strip(), _FILENAME, "eval").body
    except SyntaxError as error:
        raise RequestFailed("evaluation-failed", describe(error)) from None
    if not isinstance(place, (ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Starred)):
        raise RequestFailed("evaluation-failed", f"{target} is not a place that can be assigned to.")
    outcome = evaluate(f"{_RESULT} = (\n{value_text}\n)\n{target} = {_RESULT}\n{_RESULT}", frame)
    return outcome.value


def describe(error: BaseException) -> str:
    """An exception in one line, as the last line of a traceback: `NameError: name 'x' is not defined`."""
    name = type(error).__name__
    if isinstance(error, SyntaxError):
        where = f" (column {error.offset})" if error.offset else ""
        return f"{name}: {error.msg}{where}"
    try:
        text = str(error)
    except BaseException:
        text = "<its str() failed>"
    return f"{name}: {text}" if text else name


def _name_of(word: str) -> str:
    """What Python knows `$exc`, `$1` and the like as."""
    return _SPECIAL.get(word) or f"__remora_result_{word[1:]}__"


def _name_of_result(word: str, special: Mapping[str, Any]) -> str:
    if word not in special:
        raise RequestFailed("evaluation-failed", f"There is no result {word}.")
    return _name_of(word)


def _parse(text: str, statements: bool, special: Mapping[str, Any]) -> ast.Module:
    source = text.strip()
    for word, name in _SPECIAL.items():
        source = source.replace(word, name)
    source = _RESULTS.sub(lambda match: match[1] or _name_of_result(match[0], special), source)
    if not source:
        raise RequestFailed("evaluation-failed", "There is nothing to evaluate.")
    try:
        # In brackets an expression may go over several lines.
        expression = ast.parse(f"(\n{source}\n)" if "\n" in source else source, _FILENAME, "eval")
        return ast.Module(body=[ast.Expr(expression.body)], type_ignores=[])
    except SyntaxError:
        if not statements:
            raise
    # Not stripped on the left: a pasted block is indented as a whole.
    import textwrap

    return ast.parse(textwrap.dedent(text.strip("\n")) if text.startswith((" ", "\t")) else source, _FILENAME)


def _knows_underscore(frame: FrameType) -> bool:
    return any("_" in names for names in (frame.f_locals, frame.f_globals, frame.f_builtins))


def _with_last(module: ast.Module) -> ast.Module:
    """Let `_` be `$_`, as at Python's own prompt; not where the text gives it a value of its own."""
    named = [each for each in ast.walk(module) if isinstance(each, ast.Name) and each.id == "_"]
    others = {getattr(each, key, "") for each in ast.walk(module) for key in ("arg", "name", "asname")}
    if "_" not in others and all(isinstance(each.ctx, ast.Load) for each in named):
        for each in named:
            each.id = _name_of("$_")
    return module


class _Evaluation:
    """One evaluation in one frame."""

    def __init__(self, frame: FrameType, special: dict[str, Any], say: Say) -> None:
        self._frame = frame
        self._say = say
        self._globals = frame.f_globals
        self._locals: Any = frame.f_locals
        self._is_function = self._locals is not self._globals and _is_optimized(frame.f_code)
        self._special = {_name_of(word): value for word, value in special.items()}

    def run(self, module: ast.Module) -> Outcome:
        body = list(module.body)
        last = body[-1] if body else None
        has_value = isinstance(last, ast.Expr)
        if isinstance(last, ast.Expr):
            name = ast.Name(_RESULT, ast.Store())
            body[-1] = ast.copy_location(ast.Assign([name], last.value), last)
        tree = ast.fix_missing_locations(ast.Module(body=body, type_ignores=[]))
        flags = _future_flags(self._frame.f_code) | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(tree, _FILENAME, "exec", dont_inherit=True, flags=flags)
        if self._needs_closures(code):
            value = self._run_with_closures(body, is_async=_is_coroutine(code))
        else:
            value = self._run_plainly(code)
        return Outcome(value, has_value)

    def _finish(self, started: Any) -> None:
        """What `eval` gives for code with an `await` in it is a coroutine."""
        if type(started) is CoroutineType:
            _awaiting.run(started, self._say)

    # -- without nested functions: exec sees all ----------------------------------------------------

    def _run_plainly(self, code: CodeType) -> Any:
        if not self._is_function:
            names = self._locals
            hidden = self._hide(names)
            try:
                self._execute(code, names)
                return names.get(_RESULT)
            finally:
                hidden.restore(names)
        before = {**self._locals, **self._special}
        names = dict(before)
        try:
            self._execute(code, names)
            return names.get(_RESULT)
        finally:
            self._write_back(before, names)

    def _execute(self, code: CodeType, names: Any) -> None:
        if _is_coroutine(code):
            self._finish(eval(code, self._globals, names))
        else:
            exec(code, self._globals, names)

    def _hide(self, names: Any) -> _Hidden:
        hidden = _Hidden([*self._special, _RESULT], names)
        names.update(self._special)
        return hidden

    # -- with nested functions ----------------------------------------------------------------------

    def _needs_closures(self, code: CodeType) -> bool:
        """Whether a function inside the code uses a name that only the frame knows."""
        if self._locals is self._globals:
            return False
        inside: set[str] = set()
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                inside |= _names_used(constant)
        return any(name in inside for name in (*self._locals, *self._special, *code.co_names))

    def _run_with_closures(self, body: list[ast.stmt], *, is_async: bool) -> Any:
        """Compile as `def function(locals…): try: BODY finally: store(locals())` and call it."""
        before = {
            name: value for name, value in {**self._locals, **self._special}.items() if name.isidentifier()
        }
        # A name that the text assigns, and that is global, begins with its global value.
        for name in _assigned(body):
            if name not in before and name in self._globals:
                before[name] = self._globals[name]
        head = f"{'async ' if is_async else ''}def {_FUNCTION}({', '.join(before)})"
        shell = ast.parse(f"{head}:\n try: pass\n finally: {_STORE}(locals())", _FILENAME)
        function = shell.body[0]
        assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        attempt = function.body[0]
        assert isinstance(attempt, ast.Try)
        attempt.body = body or attempt.body
        code = compile(
            ast.fix_missing_locations(shell), _FILENAME, "exec", dont_inherit=True,
            flags=_future_flags(self._frame.f_code),
        )  # fmt: skip
        after: dict[str, Any] = {}
        made: dict[str, Any] = {}
        with _Lent(self._globals, {_STORE: after.update}):
            exec(code, self._globals, made)
            try:
                started = made[_FUNCTION](**before)
                if is_async:
                    self._finish(started)
            finally:
                self._write_back(before, after)
        return after.get(_RESULT)

    # -- back into the frame ------------------------------------------------------------------------

    def _write_back(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        changed = {
            name: value
            for name, value in after.items()
            if not name.startswith("__remora_") and (name not in before or before[name] is not value)
        }
        gone = [name for name in before if after and name not in after and not name.startswith("__remora_")]
        if not self._is_function:
            self._locals.update(changed)
            for name in gone:
                self._locals.pop(name, None)
        elif changed:
            _frames.write_locals(self._frame, changed)
        if gone and self._is_function:
            names = ", ".join(gone)
            raise RequestFailed(
                "evaluation-failed", f"A function's local variable cannot be deleted here: {names}"
            )


class _Hidden:
    """Names of ours that stand in the program's namespace for a moment."""

    def __init__(self, ours: list[str], names: Any) -> None:
        self._ours = [name for name in ours if name not in names]

    def restore(self, names: Any) -> None:
        for name in self._ours:
            names.pop(name, None)


class _Lent:
    """Puts a name into a namespace for as long as the block runs."""

    def __init__(self, names: dict[str, Any], lent: dict[str, Any]) -> None:
        self._names, self._lent = names, lent

    def __enter__(self) -> None:
        self._names.update(self._lent)

    def __exit__(self, *_: object) -> None:
        for name in self._lent:
            self._names.pop(name, None)


def _is_coroutine(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_COROUTINE)


def _is_optimized(code: CodeType) -> bool:
    return bool(code.co_flags & 0x01)


def _future_flags(code: CodeType) -> int:
    """The `from __future__` imports that the frame's file was compiled with."""
    import __future__

    known = [getattr(__future__, name).compiler_flag for name in __future__.all_feature_names]
    flags = 0
    for flag in known:
        if flag > 0x0FFF:  # smaller ones are, today, flags of the code's kind
            flags |= code.co_flags & flag
    return flags


def _names_used(code: CodeType) -> set[str]:
    found = {*code.co_names, *code.co_freevars}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _names_used(constant)
    return found


def _assigned(body: list[ast.stmt]) -> list[str]:
    """The names that statements assign at their own level or inside blocks, without nested functions."""
    found: list[str] = []
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.append(node.name)
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            found.append(node.id)
        waiting.extend(ast.iter_child_nodes(node))
    return found
