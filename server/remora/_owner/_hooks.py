"""The hooks that the owner of this program has set. Set on the program's threads, read on any.

They hold for this process, whatever is enabled and disabled in it, and for the children that it forks.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from remora._owner._told import Client, Stop

    AttachHook = Callable[[Client], object]
    StopHook = Callable[[Stop], object]
    Render = Callable[[Any], "str | None"]
    Hook = TypeVar("Hook")

__all__ = ["OwnRenderer", "hooks"]


class OwnRenderer:
    """A function of the program's that shows values of some classes.

    Attributes:
        is_slow: it was interrupted once, and is left out since.
        has_failed: which is in the log once.
    """

    def __init__(self, render: Render, kinds: tuple[type | str, ...]) -> None:
        self.render = render
        self.kinds = kinds  # kept, so that their ids stay theirs
        self.is_slow = self.has_failed = False


class _Hooks:
    """One of each kind, or none. Only ever replaced whole, so that nobody needs a lock to read one."""

    def __init__(self) -> None:
        self.on_attach: AttachHook | None = None
        self.on_stop: StopHook | None = None
        #: By the name of a class, with its module or without, or by its id: one's metaclass may hash oddly.
        self.renderers: dict[str | int, OwnRenderer] = {}

    def set(self, kind: str, hook: Hook) -> Hook:
        """Set the hook of a kind in place of the one before, None for none, and give it back.

        Raises:
            TypeError: it cannot be called, or only in a coroutine.
        """
        _check(kind, hook)
        setattr(self, kind, hook)
        return hook

    def set_renderer(self, kinds: tuple[type | str, ...], render: Hook) -> Hook:
        """The same for what shows values of these classes; names need not be those of any class yet.

        Raises:
            TypeError: it cannot be called, or only in a coroutine.
        """
        _check("renderer", render)
        keys = {each if isinstance(each, str) else id(each) for each in kinds}
        kept = {key: own for key, own in self.renderers.items() if key not in keys}
        function: Any = render
        self.renderers = (
            kept if render is None else {**kept, **dict.fromkeys(keys, OwnRenderer(function, kinds))}
        )
        return render


def _check(kind: str, hook: object) -> None:
    if hook is not None and not callable(hook):
        raise TypeError(f"remora.{kind} takes a function, or None for none, and not {hook!r}.")
    code = getattr(hook, "__code__", None)
    if code is not None and code.co_flags & _COROUTINE:
        raise TypeError(f"remora.{kind} takes a plain function: nobody would await {hook!r}.")


_COROUTINE = 0x80 | 0x200  # inspect.CO_COROUTINE | CO_ASYNC_GENERATOR, without importing it

hooks = _Hooks()
