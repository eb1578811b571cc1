"""Changes code objects just before the program runs them for the first time: imports and `exec`.

`compile` is left alone: what it makes may still be written to a .pyc file, and a hook cannot be. All this is
in place only while there are hooks, and it runs on the program's threads.
"""

from __future__ import annotations
import __future__

import builtins
import importlib._bootstrap_external as importing
import sys
from functools import wraps
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[CodeType, object], CodeType]
    """Given the code and the name of the module that it is run in."""

__all__ = ["NewCode"]

_FUTURES = 0
for _name in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _name).compiler_flag
_FUTURES &= ~0xFFFF  # the low bits are those of features that no longer are a choice


class NewCode:
    """Has `change` applied to code objects that are about to run."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._replaced: list[
            tuple[Any, str, Any, Any]
        ] = []  # owner, name, what was there (if anything), ours

    def install(self) -> None:
        """Begin. Does nothing if it has begun."""
        if self._replaced:
            return
        for loader in _loaders():
            self._replace(loader, "get_code", _changing_get_code(loader.get_code, self._changed))
        # The import system has changed code then; without this its tracebacks would show our `exec`.
        self._replace(importing, "exec", builtins.exec)
        self._replace(builtins, "exec", _changing_exec(builtins.exec, self._changed))

    def remove(self) -> None:
        """End, and leave nothing behind. What others have put on top of ours stays, and does no harm."""
        replaced, self._replaced = self._replaced, []
        for owner, name, former, ours in reversed(replaced):
            if vars(owner).get(name) is ours:
                if former is None:
                    delattr(owner, name)
                else:
                    setattr(owner, name, former)

    def _replace(self, owner: Any, name: str, ours: Any) -> None:
        self._replaced.append((owner, name, vars(owner).get(name), ours))
        setattr(owner, name, ours)

    def _changed(self, code: CodeType, module: object) -> CodeType:
        return self._change(code, module) if self._replaced else code


def _loaders() -> list[Any]:
    """The classes of loaders that have Python code."""
    loaders = [importing.SourceLoader, importing.SourcelessFileLoader]
    zipimport = sys.modules.get("zipimport")
    return loaders if zipimport is None else [*loaders, zipimport.zipimporter]


def _changing_get_code(get_code: Callable[[Any, str], CodeType | None], change: Change) -> Any:
    @wraps(get_code)
    def changing(self: Any, fullname: str) -> CodeType | None:
        code = get_code(self, fullname)
        return code if code is None else change(code, fullname)

    assert isinstance(changing, FunctionType)
    # Errors in modules are shown without the frames of the import system. Ours must go with them.
    changing.__code__ = changing.__code__.replace(co_filename="<frozen importlib._bootstrap_external>")
    return changing


def _changing_exec(original_exec: Callable[..., None], change: Change) -> Any:
    @wraps(original_exec)
    def changing(source: Any, globals: Any = None, locals: Any = None, /, **closure: Any) -> None:
        # What the built-in takes from the calling frame would be taken from this one.
        caller = sys._getframe(1)
        if globals is None:
            globals = caller.f_globals
            locals = caller.f_locals if locals is None else locals
        if isinstance(globals, dict) and not dict.__contains__(globals, "__builtins__"):
            dict.__setitem__(globals, "__builtins__", caller.f_builtins)
        if isinstance(source, (str, bytes, bytearray, memoryview)):
            source = compile(source, "<string>", "exec", caller.f_code.co_flags & _FUTURES, True)
        if isinstance(source, CodeType):
            source = change(source, dict.get(globals, "__name__") if isinstance(globals, dict) else None)
        original_exec(source, globals, locals, **closure)

    return changing
