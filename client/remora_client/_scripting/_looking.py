"""Looking at a program: threads, tasks, stacks, values, source. Runs on the caller's event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora_client._finding._facts import code_of, names_of, referrers, size_of, source_of
from remora_client._finding._facts import inspect as inspect_object
from remora_client._finding._functions import functions
from remora_client._finding._mapping import guess_folders, mapped_folders, where_is
from remora_client._scripting._objects import Frame, Value
from remora_client._scripting._part import Part

if TYPE_CHECKING:
    from remora_client import _model
    from remora_client._finding._facts import ObjectInfo, Referrer, Size
    from remora_client._finding._functions import Function
    from remora_client._finding._mapping import MappedFolder, Whereabouts
    from remora_client._model import EvaluateContext, ExceptionInfo, Scope, Source, SourceText, Task, Thread

__all__ = ["Looking"]


class Looking(Part):
    """The part of a session that looks at the program, and changes nothing but values."""

    async def threads(self) -> list[Thread]:
        """All threads."""
        return await self._core.threads()

    async def select_task(self, task: Task) -> Frame:
        """Look at a task in place of a thread, until the next stop or `select_thread`.

        Gives the newest frame of its own code. Raises `ClientError` where its loop's thread is not stopped.
        """
        return Frame.of(self._core.select_task(task), self._core)

    async def tasks(self) -> list[Task]:
        """The tasks of the program's event loops that are not done, with their chains of awaits."""
        return await self._core.tasks()

    async def stack(self, thread: int | None = None, start: int = 0, count: int | None = None) -> list[Frame]:
        """Frames of a thread, newest first."""
        return [Frame.of(each, self._core) for each in await self._core.stack(thread, start, count)]

    def select_frame(self, frame: _model.Frame | None) -> None:
        """Make a frame the one that `evaluate`, `locals` and the like use, until the next stop."""
        self._core.select_frame(frame)

    async def select_thread(self, thread: int) -> Frame:
        """Make a thread's newest frame the selected one, and the thread the one that steps."""
        return Frame.of(await self._core.select_thread(thread), self._core)

    async def evaluate(
        self,
        expression: str,
        frame: _model.Frame | None = None,
        context: EvaluateContext = "watch",
        timeout: float | None = None,
        *,
        keep: bool = False,
    ) -> Value:
        """The value of an expression; context "repl" runs statements as well, "clipboard" cuts nothing.

        With `keep`, later expressions may name the value: as `$1` and so on, by its `number`.
        """
        found = await self._core.evaluate(expression, frame, context, timeout, keep=keep)
        return Value.of(found, self._core, expression=expression, frame=frame)

    async def call(self, expression: str) -> Value | None:
        """The value of an expression, as from `evaluate`; but breakpoints in what it calls stop the program.

        None: it has stopped there, and `wait_for_stop` gives that stop. What the call gives comes later, as
        the event "remora/called"; then the program stands where it stood before.
        """
        found = await self._core.call(expression)
        return None if found is None else Value.of(found, self._core, expression=expression)

    async def completions(self, text: str) -> list[dict[str, Any]]:
        """DAP's completion items for the end of `text`."""
        return await self._core.completions(text)

    async def execute(
        self, code: str, frame: _model.Frame | None = None, timeout: float | None = None
    ) -> Value:
        """Run statements in a frame."""
        return await self.evaluate(code, frame, "repl", timeout)

    async def scopes(self, frame: _model.Frame | None = None) -> list[Scope]:
        """The groups of variables of a frame."""
        return await self._core.scopes(frame)

    async def variables(
        self, of: _model.Value | Scope | int, start: int = 0, count: int | None = None
    ) -> list[Value]:
        """What a scope or a value holds; `start` and `count` page through what is big."""
        reference = of if isinstance(of, int) else of.reference
        found = await self._core.variables(reference, start, count)
        return [Value.of(each, self._core, parent=reference) for each in found]

    async def locals(self, frame: _model.Frame | None = None) -> list[Value]:
        """Arguments and local variables."""
        return [Value.of(each, self._core, frame=frame) for each in await self._core.locals(frame)]

    async def arguments(self, frame: _model.Frame | None = None) -> list[Value]:
        """What the function was called with, as it is now."""
        return [Value.of(each, self._core, frame=frame) for each in await self._core.arguments(frame)]

    async def globals(self, frame: _model.Frame | None = None) -> list[Value]:
        """The global variables of the frame's module."""
        return [Value.of(each, self._core, frame=frame) for each in await self._core.globals(frame)]

    async def inspect(self, expression: str, frame: _model.Frame | None = None) -> ObjectInfo:
        """What an object is: its type, value, signature, file and documentation."""
        return await inspect_object(self._core, expression, frame)

    async def names(self, expression: str, frame: _model.Frame | None = None) -> list[str]:
        """The names that an object has, as from `dir`; none of them is read."""
        return await names_of(self._core, expression, frame)

    async def size(self, expression: str, frame: _model.Frame | None = None) -> Size:
        """How large an object is, without what it refers to."""
        return await size_of(self._core, expression, frame)

    async def referrers(self, expression: str, frame: _model.Frame | None = None) -> list[Referrer]:
        """What refers to an object, and so keeps it alive; at most 50 of those."""
        return await referrers(self._core, expression, frame)

    async def assign(self, target: str, value: str, frame: _model.Frame | None = None) -> Value:
        """`target = value`, both as expressions of the program."""
        found = await self._core.assign(target, value, frame)
        return Value.of(found, self._core, expression=target, frame=frame)

    async def return_value(self) -> Value | None:
        """What the function that was just left returned."""
        found = await self._core.return_value()
        return None if found is None else Value.of(found, self._core)

    async def exception_info(self, thread: int | None = None) -> ExceptionInfo:
        """The exception that a thread is stopped at."""
        return await self._core.exception_info(thread)

    async def select_exception(self, number: int, thread: int | None = None) -> bool:
        """Look at another exception of the chain or group that `exception_info` tells of, by its number.

        From then on the stack is that of the exception, and `$exc` is that one; 1 goes back. False: it was
        never raised, so there is no stack of its own.
        """
        return await self._core.select_exception(number, thread)

    async def source_text(self, source: Source) -> SourceText:
        """The text of a file of the program."""
        return await self._core.source_text(source)

    async def source_of(self, expression: str, frame: _model.Frame | None = None) -> str:
        """The source of a function, class or module of the program. Raises `ClientError`: it has none."""
        return await source_of(self._core, expression, frame)

    async def functions(self, pattern: str) -> list[Function]:
        """The functions of the program's own files whose dotted name a regular expression finds.

        Args:
            pattern: `"^handle_"`, or with a file before it: `"app.py:^handle_"`.
        """
        return await functions(self._core, pattern)

    async def map_folder(self, theirs: str, ours: str | None) -> None:
        """Say in which folder here the files of one of the program's are; None: forget that.

        Files are found by their names anyway: this is for where that is not enough.
        """
        self._core.sources.maps.remove(theirs)
        if ours is not None:
            self._core.sources.maps.add(theirs, ours)
        await self._core.send_breakpoints()

    @property
    def mapped_folders(self) -> list[MappedFolder]:
        """What `map_folder` and `guess_folders` have said."""
        return mapped_folders(self._core)

    async def guess_folders(self) -> list[MappedFolder]:
        """Map the folders that hold the same files here and there, as far as the loaded files tell."""
        return await guess_folders(self._core) or []

    def where_is(self, path: str) -> Whereabouts:
        """Where a path leads on the other side, be it the program's or one of this machine."""
        return where_is(self._core, path)

    async def loaded_sources(self) -> list[Source]:
        """The files that the program has loaded."""
        return await self._core.loaded_sources()

    async def modules(self) -> list[dict[str, Any]]:
        """The modules that the program has loaded, as DAP tells of them: `name`, `path`, `version` …"""
        return await self._core.modules()

    async def disassembly(self, frame: _model.Frame | None = None) -> tuple[list[dict[str, Any]], int]:
        """DAP's instructions of the function that a frame runs, and the index of the one that it is at."""
        return await self._core.disassembly(frame)

    async def code_of(self, expression: str, frame: _model.Frame | None = None) -> str:
        """The bytecode of any function, class or code of the program, as its `dis` writes it."""
        return await code_of(self._core, expression, frame)
