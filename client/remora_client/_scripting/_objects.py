"""Frames, values and stops as objects of the scripting API: records that can be asked for more.

They are the core's records with a way back to the session. What they give holds until the program runs on.
Everything runs on the caller's event loop.
"""

from __future__ import annotations

from dataclasses import field, fields
from typing import TYPE_CHECKING, Any

from remora_client import _model
from remora_client._errors import ClientError
from remora_client._records import record

if TYPE_CHECKING:
    from remora_client._model import EvaluateContext, Scope, SourceText
    from remora_client._sessions import _session

__all__ = ["Frame", "Stop", "Value"]


def _record(found: Any, kind: type) -> dict[str, Any]:
    """The fields of a record, to make a bound one from."""
    return {each.name: getattr(found, each.name) for each in fields(kind) if hasattr(found, each.name)}


@record
class Value(_model.Variable):
    """A value of the program: its text, its type, and its children on demand."""

    _core: _session.Session = field(kw_only=True, repr=False, compare=False)
    _parent: int = field(default=0, kw_only=True, repr=False, compare=False)
    _frame: _model.Frame | None = field(default=None, kw_only=True, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        found: _model.Value,
        core: _session.Session,
        *,
        parent: int = 0,
        expression: str = "",
        frame: _model.Frame | None = None,
    ) -> Value:
        """A record of the core's, bound to its session."""
        told = _record(found, _model.Variable)
        if expression:
            told["name"] = told["evaluate_name"] = expression
        return cls(**told, _core=core, _parent=parent, _frame=frame)

    @property
    def count(self) -> int | None:
        """How many children it has; None where the server does not say."""
        if self.named is None and self.indexed is None:
            return None if self.reference else 0
        return (self.named or 0) + (self.indexed or 0)

    async def children(self, start: int = 0, count: int | None = None) -> list[Value]:
        """Items, keys and attributes; `start` and `count` page through what is big."""
        if not self.reference:
            return []
        found = await self._core.variables(self.reference, start, count)
        return [Value.of(each, self._core, parent=self.reference, frame=self._frame) for each in found]

    async def child(self, name: str) -> Value:
        """The child of that name. Raises `ClientError` when there is none."""
        for each in await self.children():
            if each.name == name:
                return each
        raise ClientError(f"{self.name or self.type} has no child {name!r}.")

    async def set(self, expression: str) -> Value:
        """Change it in the program to what an expression gives there. Returns the new value."""
        if self._parent:
            found = await self._core.set_variable(self._parent, self.name, expression)
        elif self.evaluate_name or self.name:
            found = await self._core.assign(self.evaluate_name or self.name, expression, self._frame)
        else:
            raise ClientError("This value has no name that could be assigned to.")
        names = {"name": self.name, "evaluate_name": self.evaluate_name}
        told = {**_record(found, _model.Variable), **names}
        return Value(**told, _core=self._core, _parent=self._parent, _frame=self._frame)


@record
class Frame(_model.Frame):
    """One call on a stack. What is asked of it is asked in it, whichever frame is selected."""

    _core: _session.Session = field(kw_only=True, repr=False, compare=False)

    @classmethod
    def of(cls, found: _model.Frame, core: _session.Session) -> Frame:
        """A record of the core's, bound to its session."""
        return cls(**_record(found, _model.Frame), _core=core)

    async def locals(self) -> list[Value]:
        """Its arguments and local variables."""
        return [Value.of(each, self._core, frame=self) for each in await self._core.locals(self)]

    async def arguments(self) -> list[Value]:
        """What its function was called with, as it is now."""
        return [Value.of(each, self._core, frame=self) for each in await self._core.arguments(self)]

    async def globals(self) -> list[Value]:
        """The global variables of its module."""
        return [Value.of(each, self._core, frame=self) for each in await self._core.globals(self)]

    async def scopes(self) -> list[Scope]:
        """Its groups of variables."""
        return await self._core.scopes(self)

    async def evaluate(
        self,
        expression: str,
        context: EvaluateContext = "watch",
        timeout: float | None = None,
    ) -> Value:
        """The value of an expression; context "repl" runs statements as well, "clipboard" cuts nothing."""
        found = await self._core.evaluate(expression, self, context, timeout)
        return Value.of(found, self._core, expression=expression, frame=self)

    async def source_text(self) -> SourceText:
        """The text of its file."""
        return await self._core.source_text(self.source)


@record
class Stop(_model.Stop):
    """Why and where the program stands still."""

    frame: Frame | None = None

    @classmethod
    def of(cls, found: _model.Stop, core: _session.Session) -> Stop:
        """A record of the core's, with a bound frame."""
        frame = None if found.frame is None else Frame.of(found.frame, core)
        return cls(**{**_record(found, _model.Stop), "frame": frame})
