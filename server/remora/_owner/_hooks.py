"""The hooks that the owner of this program has set. Set on the program's threads, read on any.

They hold for this process, whatever is enabled and disabled in it, and for the children that it forks.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from remora._owner._told import Client, Stop

    AttachHook = Callable[[Client], object]
    StopHook = Callable[[Stop], object]
    Hook = TypeVar("Hook")

__all__ = ["hooks"]


class _Hooks:
    """One of each kind, or none. Only ever replaced whole, so that nobody needs a lock to read one."""

    def __init__(self) -> None:
        self.on_attach: AttachHook | None = None
        self.on_stop: StopHook | None = None

    def set(self, kind: str, hook: Hook) -> Hook:
        """Set the hook of a kind in place of the one before, None for none, and give it back.

        Raises:
            TypeError: it cannot be called, or only in a coroutine.
        """
        if hook is not None and not callable(hook):
            raise TypeError(f"remora.{kind} takes a function, or None for none, and not {hook!r}.")
        code = getattr(hook, "__code__", None)
        if code is not None and code.co_flags & _COROUTINE:
            raise TypeError(f"remora.{kind} takes a plain function: nobody would await {hook!r}.")
        setattr(self, kind, hook)
        return hook


_COROUTINE = 0x80 | 0x200  # inspect.CO_COROUTINE | CO_ASYNC_GENERATOR, without importing it

hooks = _Hooks()
