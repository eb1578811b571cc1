"""Brings hooks into the program's code, wherever it is, and out again: CPython 3.9 to 3.11.

Functions get another `__code__`. Code that is made into functions later is reached through the constants of
the code around it: those of a function that is swapped, or, in place, those of code that runs now. New
modules and what is given to `exec` are changed just before they run.

Frames that run already cannot be reached: they keep the code that they began with. `Swapper.apply` says which
of them lack hooks, so that they can be traced instead.

Called by one thread at a time, the server's, while the program's threads run.
"""

from __future__ import annotations

import inspect
from types import MappingProxyType
from typing import TYPE_CHECKING

from remora._engine._bytecode import Rewriter, insertion_of, nested, original
from remora._engine._live import functions_and_suspended_frames, running_frames
from remora._engine._newcode import NewCode
from remora._interpreter import _native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import CodeType, FrameType, FunctionType

    from remora._engine._bytecode import Entries, Exits, Hook

__all__ = ["Swapper", "lacks_hooks"]

# What such code runs in may be resumed; any other frame has been entered once and for all.
_SUSPENDABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Swapper:
    """Keeps all code of this process in step with one table of hooks."""

    def __init__(
        self,
        on_new_code: Callable[[CodeType, object], object] = lambda code, module: None,
        on_failure: Callable[[Exception], object] = lambda error: None,
    ) -> None:
        """Nothing happens yet. Both functions are called on the program's threads.

        Args:
            on_new_code: told of modules, and of what is given to `exec`, with the module's name, just before
                they get their hooks and run; it may call `apply` for them. Asked for by `watch_new_code`.
            on_failure: told of code that cannot be given hooks, and stays as it is.
        """
        self._on_new_code = on_new_code
        self._on_failure = on_failure
        self._rewriters: dict[str, Rewriter] = {}
        self._patched: dict[int, CodeType] = {}  # code whose constants were changed in place
        self._watches = False
        self._new_code = NewCode(self._begin)
        # Looked up now, since it imports ctypes: in `apply`, the caller's lock and that of an import of the
        # program which waits for it in `on_new_code` might make a deadlock.
        self._set_constant = _native.set_constant

    def apply(
        self,
        hooks: Mapping[str, Mapping[int, Hook]],
        entries: Mapping[str, Entries] = MappingProxyType({}),
        exits: Mapping[str, Exits] = MappingProxyType({}),
    ) -> list[FrameType]:
        """Have exactly these hooks called: by file name (as in `co_filename`), then by line or by function.

        Returns the frames, running or suspended, that lack hooks which new calls of the same code will have.
        A hook that is gone may still be called, by frames that began while it was there.
        """
        wanted = {*hooks, *entries, *exits}
        concerned = {*self._rewriters, *wanted}
        # Hooks that stay keep their rewriter, and so their functions keep their code.
        self._rewriters = {
            name: self._rewriter(name, hooks.get(name, {}), entries.get(name, {}), exits.get(name, {}))
            for name in wanted
        }
        self._update_new_code()
        frames = self._reach(concerned) if concerned else []
        return [frame for frame in frames if lacks_hooks(frame.f_code, self.rewrite(frame.f_code))]

    def clear(self) -> None:
        """Leave the program's code as it was. Only frames that began with a hook in them still call it."""
        self._watches = False
        self.apply({})

    def rewrite(self, code: CodeType) -> CodeType:
        """What to run instead of `code`: with the hooks of now, or just as the program made it."""
        rewriter = self._rewriters.get(code.co_filename)
        if rewriter is not None:
            try:
                return rewriter.rewrite(code)
            except Exception as error:
                self._on_failure(error)
        return original(code)

    def watch_new_code(self, wanted: bool) -> None:
        """Have `on_new_code` called, or no longer."""
        self._watches = wanted
        self._update_new_code()

    def _update_new_code(self) -> None:
        if self._rewriters or self._watches:
            self._new_code.install()
        else:
            self._new_code.remove()

    def _begin(self, code: CodeType, module: object) -> CodeType:
        if self._watches:
            try:
                self._on_new_code(code, module)
            except Exception as error:
                self._on_failure(error)
        return self.rewrite(code)

    def _rewriter(self, filename: str, lines: Mapping[int, Hook], entries: Entries, exits: Exits) -> Rewriter:
        present = self._rewriters.get(filename)
        if present is not None and (present.hooks, present.entries, present.exits) == (lines, entries, exits):
            return present
        return Rewriter(lines, entries, exits)

    def _reach(self, filenames: set[str]) -> list[FrameType]:
        """Change what is alive of these files; the frames that there are afterwards."""
        while True:  # once, nearly always
            # First the constants, so that no function is made of old code once the functions are looked for.
            self._patch(frame.f_code for frame in running_frames() if frame.f_code.co_filename in filenames)
            functions, frames = functions_and_suspended_frames(filenames)
            self._swap(functions)
            frames += [frame for frame in running_frames() if frame.f_code.co_filename in filenames]
            # Code that began to run in between may have made functions in between.
            if not self._patch(frame.f_code for frame in frames):
                return frames

    def _swap(self, functions: Iterable[FunctionType]) -> None:
        for function in functions:
            code = self.rewrite(function.__code__)
            if code is not function.__code__:
                function.__code__ = code

    def _patch(self, codes: Iterable[CodeType]) -> bool:
        """Change the code nested in these, and in what we patched before. Whether anything was to be done."""
        if self._set_constant is None:
            return False
        changed = False
        for code in [*self._patched.values(), *codes]:
            for place, child in nested(code):
                wanted = self.rewrite(child)
                if wanted is not child:
                    self._set_constant(code, place, wanted)
                    self._patched[id(code)] = code
                    changed = True
        if not self._rewriters:
            self._patched.clear()
        return changed


def lacks_hooks(code: CodeType, wanted: CodeType) -> bool:
    """Whether frames of `code` will not call hooks that those of `wanted`, another form of it, would."""
    has, needs = insertion_of(code), insertion_of(wanted)
    if needs is None:
        return False
    if (
        needs.entry is not None
        and code.co_flags & _SUSPENDABLE
        and (has is None or has.entry is not needs.entry)
    ):
        return True
    if needs.exit is not None and (has is None or has.exit is not needs.exit):
        return True
    present = {} if has is None else has.hooks
    return any(present.get(line) is not hook for line, hook in needs.hooks.items())
