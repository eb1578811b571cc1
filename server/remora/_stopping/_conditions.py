"""Expressions of breakpoints, compiled once and evaluated in many frames: conditions and the parts of log
messages.

Evaluated on the program's threads, where a breakpoint on a hot line asks a million times a second. So an
expression is turned into a function of the frame's locals for each code object it meets, that reads the
variables it names and no others.
"""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from remora._interpreter._compiling import compile_quietly, parse_quietly

if TYPE_CHECKING:
    from types import CodeType, FrameType

    Function = Callable[[Any], Any]

__all__ = ["BadExpression", "Expression", "Tested", "describe_error"]

_LOCALS = "@locals"  # no program can have a variable of this name
_VALUE = "__remora_returned__"  # what `$retval` is read as
_MOST_CODES = 20  # of one line, which lambdas and comprehensions share; more are made by programs on the fly


class Tested(NamedTuple):
    """The parts of a report that comes to nothing unless a test holds; its attribute `tested`.

    An engine for which a call costs too much asks the test itself.

    Attributes:
        test_for: gives the test for frames with this one's code and globals, to be called with `f_locals`.
        passed: goes on as the report does when the test holds.
        failed: goes on as the report does when the test raises.
    """

    test_for: Callable[[FrameType], Callable[[Any], object]]
    passed: Callable[[FrameType], object]
    failed: Callable[[FrameType, BaseException], object]


_SHOWN = 80  # characters of an expression that a refusal repeats


class BadExpression(ValueError):
    """The text is no Python expression. Its text says why, for the person who wrote it."""


def describe_error(error: BaseException) -> str:
    """An exception as its last line of a traceback, also when its `__str__` is broken."""
    try:
        text = str(error)
    except Exception:
        text = "<its text cannot be shown>"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class Expression:
    """One expression, to be called with a frame. What it raises is the expression's own doing.

    With `has_value` it is called with what the frame returns or yields as well, and may name it `$retval`.
    """

    def __init__(self, source: str, *, has_value: bool = False) -> None:
        if has_value:
            source = source.replace("$retval", _VALUE)
        self.source = source
        try:
            self._tree = parse_quietly(source.strip(), "eval")
            self.code = compile_quietly(self._tree, "eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise BadExpression(f"{_cut(source)!r} is no expression: {_reason(error)}") from None
        self._bound = _names_bound_inside(self._tree)
        self._made: dict[int, tuple[CodeType, Any, Function]] = {}

    def __call__(self, frame: FrameType, *value: Any) -> Any:
        if value:
            return eval(self.code, {**frame.f_globals, **frame.f_locals, _VALUE: value[0]})
        try:
            return self.function_for(frame)(frame.f_locals)
        except KeyError as error:
            raise self.explain(error, frame) from None

    def function_for(self, frame: FrameType) -> Function:
        """The expression as a function of `f_locals`, for frames of this code and these globals.

        For those who call it a million times a second; what it raises is to be passed through `explain`.
        """
        code, namespace = frame.f_code, frame.f_globals
        made = self._made.get(id(code))
        if made is None or made[1] is not namespace:
            if len(self._made) >= _MOST_CODES:
                self._made.clear()
            made = self._made[id(code)] = (code, namespace, self._make_for(frame))
        return made[2]

    def _make_for(self, frame: FrameType) -> Function:
        code, namespace = frame.f_code, frame.f_globals
        # At a module's top level the locals are the globals: no name is to be looked up elsewhere.
        names = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
        if code.co_flags & inspect.CO_OPTIMIZED or frame.f_locals is namespace:
            return self._compile_for(names, namespace)
        return self._evaluate_in(namespace)

    def explain(self, error: BaseException, frame: FrameType) -> BaseException:
        """The error as the person knows it: looking for a local that is not there yet is a NameError."""
        name = error.args[0] if type(error) is KeyError and error.args else None
        code = frame.f_code
        is_local = name in code.co_varnames or name in code.co_cellvars or name in code.co_freevars
        if is_local and name not in frame.f_locals:
            return NameError(f"name {name!r} is not defined")
        return error

    def _evaluate_in(self, namespace: dict[str, Any]) -> Function:
        return lambda variables: eval(self.code, {**namespace, **variables})

    def _compile_for(self, names: set[str], namespace: dict[str, Any]) -> Function:
        if self._bound & names or _LOCALS in self._bound:
            return self._evaluate_in(namespace)
        body = _LocalsByName(names).visit(parse_quietly(self.source.strip(), "eval")).body
        maker = parse_quietly("lambda x: x", "eval")
        assert isinstance(maker.body, ast.Lambda)
        maker.body.args.args[0].arg = _LOCALS
        maker.body.body = body
        compiled = compile_quietly(ast.fix_missing_locations(maker), "eval")
        function: Function = eval(compiled, namespace)
        return function


class _LocalsByName(ast.NodeTransformer):
    """Turns the names that are local where the expression is evaluated into look-ups."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._names or not isinstance(node.ctx, ast.Load):
            return node
        variables = ast.Name(_LOCALS, ast.Load())
        return ast.copy_location(ast.Subscript(variables, ast.Constant(node.id), ast.Load()), node)


def _names_bound_inside(tree: ast.AST) -> set[str]:
    """Names that the expression binds itself: parameters of lambdas, loops of comprehensions, walruses."""
    bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    stored = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return bound | {node.id for node in stored if isinstance(node.ctx, ast.Store)}


def _cut(source: str) -> str:
    return source if len(source) <= _SHOWN else source[:_SHOWN] + "…"


def _reason(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) and error.msg else str(error) or type(error).__name__
