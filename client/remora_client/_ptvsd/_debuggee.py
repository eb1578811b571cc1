"""One attached ptvsd, and the manners without which it wedges. Runs on the event loop's thread.

These servers take one thing at a time. What a second command does that comes before the first is through
ranges from a lost answer to a program that stands still for ever. So every command waits for its turn; an
evaluation keeps the turn until its answer is there, even when nobody wants it any more; and after a resume
the next command that wakes or stops threads waits until those woken have shown life, or had the time to.
This file is long because all commands share that one queue, and nothing else may send.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from remora_client._ptvsd import _records as r
from remora_client._ptvsd._threads import WAKE_SECONDS, ThreadRecord, Threads
from remora_client._ptvsd._wire import Ended
from remora_protocol import RemoteProtocolError, RequestFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

    from remora_client._ptvsd._wire import Wire

__all__ = ["Debuggee"]

T = TypeVar("T")
_Kind = Literal["evaluation", "children", "pong", "breakpoint", "line", "frames", "modules", "detached"]

_ANSWER_SECONDS = 5.0
_TURN_SECONDS = 5.0
_STRAGGLER_SECONDS = 1.0
_TRIES = 25
_RETRY_SECONDS = 0.02
_HEARTBEAT_SECONDS = 3.0
_DETACH_SECONDS = 3.0
_QUIET_SECONDS = 0.15
_BUSY = "The program is still at the last expression, and an old ptvsd cannot be interrupted in that."
_NOT_BLOCKED = "<expression cannot be evaluated at this time>"
_NOT_THROUGH = "<error: previous evaluation has not completed>"
_HELPER_MODULE = "ptvsd.debugger"
_DROPPED = (
    "ptvsd let go of us without a word, as version 3.2 does when the program prints or holds bytes that are "
    "not UTF-8; attach again"
)


class Debuggee:
    """Commands as coroutines. `hear` is called with every record that is not an answer."""

    def __init__(self, wire: Wire, hear: Callable[[r.Said], None]) -> None:
        self.threads = Threads()
        self.end: str | None = None  # why there is nothing more to come
        self.detached = False
        self.on_end: Callable[[], None] = lambda: None
        self.on_detach: Callable[[], None] = lambda: None
        self.must_stand: Callable[[], bool] = lambda: False  # the person has been told of a stop
        self._wire, self._hear = wire, hear
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._life = asyncio.Event()  # a thread showed life, or stood still
        self._evaluating: int | None = None
        self._stepping: set[int] = set()
        self._waiting: dict[tuple[_Kind, int], asyncio.Future[Any]] = {}
        # Random, because numbers of earlier sessions may come back to life.
        self._idents = itertools.count(random.randrange(1 << 20, 1 << 30))
        self._tasks: set[asyncio.Task[Any]] = set()
        self._last_burst = self._loop.time()
        self._reader = self._loop.create_task(self._read())
        self._heart = self._loop.create_task(self._beat())

    @property
    def number(self) -> int:
        """Of the protocol."""
        return self._wire.codec.number

    def new_ident(self) -> int:
        """A number that no session before had, most likely."""
        return next(self._idents)

    # -- reading ----------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while True:
                self._take(await self._wire.next())
        except Ended as ended:
            self._finish(str(ended))
        except RemoteProtocolError as error:
            self._finish(str(error))

    def _take(self, said: r.Said) -> None:
        match said:
            case r.ThreadFrames():
                self._stack(said)
            case r.Evaluated(ident) | r.EvaluationFailed(ident):
                self._answered("evaluation", ident, said)
            case r.Children(ident):
                self._answered("children", ident, said)
            case r.Pong(ident):
                self._answered("pong", ident, said)
            case r.BreakpointBound(ident) | r.BreakpointUnbound(ident):
                self._answered("breakpoint", ident, said)
            case r.LineSet(_, thread):
                self._answered("line", thread, said)
            case r.LastAsked():
                self._wire.send(self._wire.codec.acknowledge())
            case r.CommandFailed(command, text):
                self._failed(command, text)
            case _:
                self._event(said)

    def _event(self, said: r.Said) -> None:
        match said:
            case r.ThreadSeen(thread):
                self.threads.seen(thread)
                self._last_burst = self._loop.time()
            case r.ThreadGone(thread):
                self.threads.gone(thread)
                self._life.set()
            case r.ModuleLoaded():
                self._last_burst = self._loop.time()
            case r.ModulesChanged():
                self._answered("modules", 0, said)
            case r.Output(thread):
                self.threads.alive(thread)
                self._life.set()
            case (
                r.ProcessLoaded(thread=thread)
                | r.BreakpointHit(thread=thread)
                | r.StepDone(thread)
                | r.Paused(thread)
                | r.ExceptionRaised(thread)
            ):
                self.threads.stopped(thread)
                self._life.set()
                if isinstance(said, r.StepDone):
                    self._stepping.discard(thread)
            case r.Detached():
                self.detached = True
                self._answered("detached", 0, said)
                self.on_detach()
        self._hear(said)

    def _stack(self, said: r.ThreadFrames) -> None:
        record = self.threads.seen(said.thread)
        record.frames = said.frames
        if self._answered("frames", said.thread, said) or self._evaluating == said.thread:
            return
        if said.name is None:  # a snapshot, taken by another thread
            return
        self.threads.halted(said.thread, said.name, self._loop.time())
        self._life.set()
        if self.threads.running:
            self._later(self._wake_straggler(record, record.halted_at))

    def _failed(self, command: str, text: str) -> None:
        """A command raised inside the server. Only a refused detach is answered for; the rest is told."""
        if command == "legacyDetach":
            self._answered("detached", 0, r.CommandFailed(command, text))
        else:
            self._hear(r.CommandFailed(command, text))

    def _answered(self, kind: _Kind, ident: int, said: r.Said) -> bool:
        future = self._waiting.pop((kind, ident), None)
        if future is None or future.done():
            return False
        future.set_result(said)
        return True

    def _finish(self, why: str) -> None:
        if self.end is not None:
            return
        self.end = why
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(RequestFailed("failed", f"The connection to the program ended: {why}."))
                future.exception()
        self._life.set()
        self.on_end()

    # -- turns ------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _turn(self, *, settled: bool = False) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await self._lock.acquire()
        except TimeoutError:
            raise RequestFailed("not-stopped", f"{_BUSY} Wait, or detach.") from None
        try:
            if self.end is not None:
                raise RequestFailed("failed", f"The connection to the program ended: {self.end}.")
            if settled:
                await self._settle()
            yield
        finally:
            self._lock.release()

    async def _settle(self) -> None:
        """Wait until no thread is on its way out of, or into, a stop."""
        while (seconds := self.threads.unsettled(self._loop.time())) > 0:
            self._life.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._life.wait()

    def _expect(self, kind: _Kind, ident: int) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[(kind, ident)] = future
        return future

    async def _await(self, future: asyncio.Future[T], what: str, seconds: float = _ANSWER_SECONDS) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            raise RequestFailed("failed", f"The program's ptvsd did not answer {what}.") from None

    async def _in_full(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it to its end even when whoever waits for it gives up: its answer has to be waited for."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._through)
        return await asyncio.shield(task)

    def _through(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # read, so that one that nobody waits for any more is no warning

    def _later(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._through)

    # -- running ----------------------------------------------------------------------------------

    async def resume(self) -> None:
        """Let all threads run, unless the person is told of a stop before that is possible."""
        await self._in_full(self._resume())

    async def _resume(self) -> None:
        async with self._turn(settled=True):
            if self.must_stand():  # a thread told why it stopped while we waited for our turn
                return
            for thread in self._stepping & self.threads.keys():
                self._wire.send(self._wire.codec.clear_step(thread))
            self._stepping.clear()
            self.threads.resumed(self._loop.time())
            self._wire.send(self._wire.codec.resume())
            await self._barrier()

    async def step(self, kind: r.StepKind, thread: int) -> None:
        """Step one thread, while all run."""
        await self._in_full(self._step(kind, thread))

    async def _step(self, kind: r.StepKind, thread: int) -> None:
        async with self._turn(settled=True):
            if self.must_stand():  # as above
                return
            self._halted(thread)  # an assertion in the server ends its loop
            for other in self._stepping & self.threads.keys():
                self._wire.send(self._wire.codec.clear_step(other))
            self._stepping = {thread}
            self.threads.resumed(self._loop.time())
            self._wire.send(self._wire.codec.step(kind, thread))
            await self._barrier()

    async def pause(self) -> None:
        """Stop everything, each thread at its next line."""
        async with self._turn(settled=True):
            self._wire.send(self._wire.codec.pause())
            await self._barrier()

    async def _barrier(self) -> None:
        """Wait until the server's loop has carried out all that was sent."""
        ident = self.new_ident()
        future = self._expect("pong", ident)
        self._wire.send(self._wire.codec.ping(ident))
        await self._await(future, "a sign of life")
        self.threads.heard_of_resume(self._loop.time())

    async def _wake_straggler(self, record: ThreadRecord, halted_at: float) -> None:
        """A thread that stopped along with another, too late to be resumed with it, would stand for ever."""
        await asyncio.sleep(_STRAGGLER_SECONDS)
        same = record.halted and record.halted_at == halted_at
        if same and self.threads.running and self.end is None:
            with contextlib.suppress(RequestFailed):
                await self._resume()

    # -- breakpoints and exceptions ---------------------------------------------------------------

    async def set_breakpoint(self, spec: r.BreakpointSpec) -> None:
        """Set one. Whether its file is known to the server says nothing, so that is not told."""
        async with self._turn():
            future = self._expect("breakpoint", spec.ident)
            self._wire.send(self._wire.codec.set_breakpoint(spec))
            await self._await(future, "for a breakpoint")

    async def remove_breakpoints(self, specs: Sequence[r.BreakpointSpec]) -> None:
        """Remove some."""
        if specs:
            async with self._turn():
                for spec in specs:
                    self._wire.send(self._wire.codec.remove_breakpoint(spec))
                await self._barrier()

    async def set_exceptions(self, modes: r.ExceptionModes) -> None:
        """Say which exceptions stop their thread."""
        async with self._turn():
            self._wire.send(self._wire.codec.set_exceptions(modes))
            await self._barrier()

    def tell_handlers(self, file: str, ranges: Sequence[r.TryRange]) -> None:
        """Answer `HandlersAsked`. Out of turn: a thread waits for it, holding a lock."""
        self._wire.send(self._wire.codec.tell_handlers(file, ranges))

    # -- looking ----------------------------------------------------------------------------------

    def _halted(self, thread: int) -> ThreadRecord:
        record = self.threads.get(thread)
        if record is None:
            raise RequestFailed("not-found", "That thread has ended.")
        if not record.halted:
            raise RequestFailed(
                "not-stopped", "That thread runs, or waits outside of Python code: it can evaluate nothing."
            )
        return record

    def _check_frame(self, thread: int, frame: int) -> None:
        """A number beyond the last list of frames ends the binary server's loop."""
        if not 0 <= frame < len(self._halted(thread).frames):
            raise RequestFailed("not-found", "That frame is gone.")

    async def evaluate(self, text: str, thread: int, frame: int, *, raw: bool = False) -> r.RemoteObject:
        """Evaluate in a frame of a thread that stands still; what is no expression is run as statements."""
        return await self._in_full(self._evaluate(text, thread, frame, raw=raw))

    async def _evaluate(self, text: str, thread: int, frame: int, *, raw: bool) -> r.RemoteObject:
        async with self._turn():
            for _ in range(_TRIES):
                self._check_frame(thread, frame)
                self._evaluating = thread
                try:
                    said = await self._execute(text, thread, frame, raw=raw)
                finally:
                    self._evaluating = None
                if isinstance(said, r.Evaluated):
                    return said.value
                if said.text not in (_NOT_BLOCKED, _NOT_THROUGH):
                    raise _raised(said)
                await asyncio.sleep(_RETRY_SECONDS)  # between two states it says so, and does nothing
        raise RequestFailed("not-stopped", "That thread does not stand still long enough to evaluate.")

    async def evaluate_in_module(self, text: str, module: str, *, raw: bool = False) -> r.RemoteObject:
        """Evaluate in a module's namespace, on the server's thread: at any time, with protocol 8."""
        if self.number < 8:
            raise RequestFailed("not-stopped", "The program runs, and this ptvsd evaluates at stops only.")
        return await self._in_full(self._evaluate_in_module(text, module, raw=raw))

    async def _evaluate_in_module(self, text: str, module: str, *, raw: bool) -> r.RemoteObject:
        async with self._turn():
            said = await self._execute(text, 0, 0, raw=raw, module=module)
        if isinstance(said, r.Evaluated):
            return said.value
        raise _raised(said)

    async def _execute(
        self, text: str, thread: int, frame: int, *, raw: bool, module: str = ""
    ) -> r.Evaluated | r.EvaluationFailed:
        ident = self.new_ident()
        future = self._expect("evaluation", ident)
        self._wire.send(
            self._wire.codec.evaluate(text, thread, frame, ident, raw=raw, module=module),
        )
        said: r.Evaluated | r.EvaluationFailed = await future
        return said

    @property
    def can_ask(self) -> bool:
        """Whether `ask` would find somebody to answer."""
        return self.end is None and (self.number >= 8 or self.threads.answerer() is not None)

    async def ask(self, expression: str) -> str:
        """The text that an expression of ours gives; it must need no name, and not fail."""
        if self.number >= 8:
            value = await self.evaluate_in_module(expression, _HELPER_MODULE, raw=True)
        else:
            thread = self.threads.answerer()
            if thread is None:
                raise RequestFailed("not-stopped", "The program runs, and this ptvsd tells at stops only.")
            value = await self.evaluate(expression, thread, 0, raw=True)
        return value.text or ""

    async def children(self, text: str, thread: int, frame: int) -> Sequence[r.Child]:
        """The children of an expression's value."""
        return await self._in_full(self._children(text, thread, frame))

    async def _children(self, text: str, thread: int, frame: int) -> Sequence[r.Child]:
        async with self._turn():
            for _ in range(3):
                self._check_frame(thread, frame)
                ident = self.new_ident()
                future = self._expect("children", ident)
                self._evaluating = thread
                try:
                    self._wire.send(self._wire.codec.children(text, thread, frame, ident))
                    said: r.Children = await future
                finally:
                    self._evaluating = None
                if said.children:
                    break
                # None is also what a thread answers that is between two states, or an expression that fails.
                await asyncio.sleep(_RETRY_SECONDS)
        return said.children

    async def frames(self, thread: int) -> Sequence[r.RemoteFrame]:
        """A thread's stack: as it was sent at the stop, or of a running one, where the server can."""
        record = self.threads.get(thread)
        if record is None:
            raise RequestFailed("not-found", "That thread has ended.")
        if not self.threads.running:
            return record.frames
        if self.number < 7:
            raise RequestFailed("not-stopped", "The program runs, and this ptvsd shows stacks at stops only.")
        async with self._turn():
            future = self._expect("frames", thread)
            self._wire.send(self._wire.codec.ask_frames(thread))
            await self._await(future, "for a stack", 1.0)
        return record.frames

    async def set_line(self, thread: int, line: int) -> int:
        """Make `line` the next of a thread's newest frame. For protocol 8: 6 deadlocks on a refusal."""
        async with self._turn(settled=True):
            self._halted(thread)
            future = self._expect("line", thread)
            self._wire.send(self._wire.codec.set_line(thread, line))
            said: r.LineSet = await self._await(future, "a jump")
        if not said.done:
            raise RequestFailed(
                "evaluation-failed", f"Python does not allow a jump to line {line} from here."
            )
        return said.line

    # -- beginning and end ------------------------------------------------------------------------

    async def after_burst(self) -> None:
        """Wait until the threads and modules that an attach makes the server tell have all come."""
        if self.number >= 8:
            with contextlib.suppress(RequestFailed):
                await self._await(self._expect("modules", 0), "for its modules", 2.0)
            return
        end = self._loop.time() + _ANSWER_SECONDS
        while (wait := self._last_burst + _QUIET_SECONDS - self._loop.time()) > 0 and self._loop.time() < end:
            await asyncio.sleep(wait)

    async def _beat(self) -> None:
        """See now and then whether the server still knows us."""
        while self.end is None:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            if self._lock.locked():
                continue
            try:
                if self.number < 8:
                    async with self._turn():
                        await self._barrier()
                elif (await self.evaluate_in_module("DETACHED", _HELPER_MODULE)).text == "True":
                    self.detached = True
                    self._finish(_DROPPED)
            except RequestFailed as failed:
                self._finish(str(failed))

    async def detach(self) -> None:
        """Leave the program running. Bounded in time, and does what it can whatever the state."""
        if self.end is None and not self.detached:
            with contextlib.suppress(TimeoutError, RequestFailed):
                async with asyncio.timeout(1.5):
                    await self._lock.acquire()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._settle()
            for _ in range(3):
                if await self._ask_to_detach():
                    break
        await self._leave()

    async def _ask_to_detach(self) -> bool:
        future = self._expect("detached", 0)
        self._wire.send(self._wire.codec.detach())
        try:
            said = await self._await(future, "to the farewell", _DETACH_SECONDS)
        except RequestFailed:
            return True  # silent or gone: once more would not help
        if isinstance(said, r.Detached):
            return True
        await asyncio.sleep(WAKE_SECONDS)
        return False

    async def _leave(self) -> None:
        self._finish("we left")
        for task in (self._heart, self._reader, *self._tasks):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        farewell = self._wire.codec.after_detach() if self.detached else b""
        if farewell:
            self._wire.send(farewell)
            await self._wire.end(1.0)
        self._wire.abort()


def _raised(said: r.EvaluationFailed) -> RequestFailed:
    return RequestFailed("evaluation-failed", said.text or "It raised an exception that has no text.")
