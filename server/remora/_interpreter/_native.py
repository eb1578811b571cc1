"""Every use of ctypes in the server: what CPython can do and Python code cannot ask for.

Each name here is a function, or None where it cannot work: another implementation, no ctypes, a version that
does not need it. Names are looked up, and ctypes is imported, when first used.

Everything is called with the GIL held (`ctypes.pythonapi` and PYFUNCTYPE keep it, CDLL and CFUNCTYPE would
let it go and crash). Any thread may call.
"""

from __future__ import annotations

import sys
from collections import deque
from functools import partial
from itertools import accumulate, chain, compress, filterfalse, repeat, starmap, takewhile, tee
from operator import add, attrgetter, eq
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType, FrameType

    write_back_locals: Callable[[FrameType], None] | None
    """Make what was assigned into `frame.f_locals` the values of the frame's variables.

    Until 3.12. To be called before `f_locals` is asked for again, which would overwrite it.
    """

    set_constant: Callable[[CodeType, int, object], None] | None
    """`set_constant(code, place, value)`: put a value into `code.co_consts`, in place.

    3.9 to 3.11. Frames that run `code` now see the new value at once.
    """

    raise_in_thread: Callable[[int, type[BaseException] | None], bool] | None
    """`raise_in_thread(ident, error)`: have a thread raise `error` at its next bytecode; None: no longer.

    False: there is no such thread. A thread that is inside C code raises when it comes back.
    """

    OtherThreads: Callable[[Callable[[FrameType, int, object], object]], _OtherThreads] | None
    """Makes a tracing function start in threads that run already. 3.9 to 3.11; see `_OtherThreads`."""

__all__ = ["OtherThreads", "raise_in_thread", "set_constant", "write_back_locals"]

_KEPT: list[object] = []  # what a thread may still call at any time, even when nobody else holds it
_UP_TO_311 = sys.version_info < (3, 12)
_UP_TO_312 = sys.version_info < (3, 13)


def __getattr__(name: str) -> Any:
    finder = _FINDERS.get(name)
    if finder is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = _find(finder)
    return found


def _find(finder: Callable[[Any], Any]) -> Any:
    if sys.implementation.name != "cpython":
        return None
    try:
        import ctypes

        return finder(ctypes)
    except (ImportError, AttributeError, OSError, LookupError):
        return None


def _function(ctypes: Any, name: str, result: Any, *arguments: Any) -> Any:
    # By item and not by attribute: the latter is one object for all who use ctypes in this process.
    found = ctypes.pythonapi[name]
    found.restype = result
    found.argtypes = arguments
    return found


def _find_write_back_locals(ctypes: Any) -> Any:
    if not _UP_TO_312:
        return None
    locals_to_fast = _function(ctypes, "PyFrame_LocalsToFast", None, ctypes.py_object, ctypes.c_int)

    def write_back_locals(frame: FrameType) -> None:
        locals_to_fast(frame, 0)  # 0: a name which is missing in f_locals is left alone

    return write_back_locals


def _find_set_constant(ctypes: Any) -> Any:
    if not _UP_TO_311:
        return None
    increase = _function(ctypes, "Py_IncRef", None, ctypes.py_object)
    decrease = _function(ctypes, "Py_DecRef", None, ctypes.py_object)

    def set_constant(code: CodeType, place: int, value: object) -> None:
        constants = code.co_consts
        before = constants[place]  # kept until the end, so that nothing is freed while the tuple is changed
        items = (ctypes.c_void_p * len(constants)).from_address(id(constants) + tuple.__basicsize__)
        increase(value)
        items[place] = id(value)
        decrease(before)

    return set_constant


def _find_raise_in_thread(ctypes: Any) -> Any:
    set_exception = _function(
        ctypes, "PyThreadState_SetAsyncExc", ctypes.c_int, ctypes.c_ulong, ctypes.py_object
    )

    def raise_in_thread(ident: int, error: type[BaseException] | None) -> bool:
        # A py_object without a value is a null pointer: what was to be raised is forgotten.
        return bool(set_exception(ident, ctypes.py_object() if error is None else ctypes.py_object(error)))

    return raise_in_thread


class _OtherThreads:
    """Has a function called in each thread but the calling one, at the thread's next trace event.

    The function is called inside the event, so it is not traced, with the frame, the event's number in C and
    its argument; it is meant to call `sys.settrace`. There, `sys.gettrace()` still is the tracer that the
    thread had, and it is the function's to give it back later.

    A thread may end whenever Python code runs, and its state is freed then. So each walk over the states is
    one call of C code, made of iterators.
    """

    def __init__(self, ctypes: Any, call: Callable[[FrameType, int, object], object]) -> None:
        state, number = ctypes.c_void_p, ctypes.c_int
        # `accumulate` calls PyThreadState_Next with one argument too many, which C calls do not mind.
        self._interpreter = _function(ctypes, "PyInterpreterState_Get", state)()
        self._first = _function(ctypes, "PyInterpreterState_ThreadHead", state, state)
        self._next = _function(ctypes, "PyThreadState_Next", state, state)
        self._current = _function(ctypes, "PyThreadState_Get", state)
        self._set = _function(ctypes, "_PyEval_SetTrace", number, state, state, state)
        self._at = state.from_address
        self._function_at, self._object_at, self._python_function = _find_trace_fields(
            ctypes, self._current()
        )
        self._before: dict[int, int | None] = {}
        self._kind = ctypes.PYFUNCTYPE(number, ctypes.py_object, ctypes.py_object, number, ctypes.py_object)
        self._nothing = ctypes.py_object()
        self._callable: dict[int, Any] = {}
        self.found_foreign = False  # whether the last start met a C function as `own_here` means

        def trampoline(_object: object, frame: FrameType, what: int, argument: int | None) -> int:
            call(frame, what, None if argument is None else ctypes.cast(argument, ctypes.py_object).value)
            return 0

        kind = ctypes.PYFUNCTYPE(number, state, ctypes.py_object, number, state)
        entry = kind(trampoline)
        _KEPT.append(entry)
        self._trampoline = ctypes.cast(entry, state).value

    def start(self) -> None:
        """Have the function called. A thread that waits in C code calls it when it is back."""
        states, again = self._walk(2)
        for state, function in list(zip(states, self._read(again, self._function_at))):
            if function != self._trampoline:
                self._before[state] = function
        self.found_foreign = bool({*self._before.values()} - {None, self._python_function})
        states, again = self._walk(2)
        tracers = self._read(again, self._object_at)
        _run(map(self._set, states, repeat(self._trampoline), tracers))

    def stop(self, tracer: object = None) -> None:
        """Undo it: threads that have not called the function yet are as before; `tracer` is taken out."""
        states, first, second, third = self._walk(4)
        waits = map(eq, self._read(first, self._function_at), repeat(self._trampoline))
        former = zip(states, map(self._before.get, second), self._read(third, self._object_at))
        _run(starmap(self._set, compress(former, waits)))
        self._before.clear()
        if tracer is not None:
            states, again = self._walk(2)
            traced = map(eq, self._read(again, self._object_at), repeat(id(tracer)))
            _run(map(self._set, compress(states, traced), repeat(None), repeat(None)))

    def own_here(self) -> int | None:
        """The C function that a tracer of the program's has on this thread; None: the interpreter's own.

        The interpreter's calls a Python function. Another one is that of a tracer written in C, as coverage
        has: it hears of every line of every frame, and `sys.settrace` would not bring it back as it was.
        """
        state = self._current()
        function = self._at(state + self._function_at).value
        if function == self._trampoline:
            function = self._before.get(state)
        return None if function == self._python_function else function

    def restore_here(self, function: int, tracer: object) -> None:
        """Install such a C function on this thread again, with its object."""
        self._set(self._current(), function, id(tracer))

    def tell(self, function: int, tracer: object, frame: FrameType, what: int, argument: object) -> None:
        """Give an event to such a C function. Whatever it raises goes on to the caller."""
        call = self._callable.get(function)
        if call is None:
            call = self._callable[function] = self._kind(function)
        call(tracer, frame, what, self._nothing if argument is None else argument)

    def _walk(self, copies: int) -> tuple[Iterator[int], ...]:
        """The states of all other threads, a number of times. Nothing happens before they are asked for."""
        first = map(self._first, (self._interpreter,))
        states = takewhile(bool, accumulate(chain(first, repeat(0)), self._next))
        return tee(filterfalse({self._current()}.__contains__, states), copies)

    def _read(self, states: Iterable[int], offset: int) -> Iterator[int | None]:
        return map(attrgetter("value"), map(self._at, map(add, states, repeat(offset))))


def _run(calls: Iterable[object]) -> None:
    """Use up an iterator without running any bytecode."""
    deque(calls, maxlen=0)


def _find_trace_fields(ctypes: Any, state: int) -> tuple[int, int, int]:
    """Where in a thread state the tracing function and its object are: looked for in our own.

    And which function the interpreter puts there for a tracing function in Python.
    """

    def tracer(*_event: object) -> None:
        pass

    def words() -> list[int]:
        return list((ctypes.c_size_t * 24).from_address(state))

    size = ctypes.sizeof(ctypes.c_size_t)
    former = sys.gettrace()
    sys.settrace(tracer)
    during = words()
    sys.settrace(None)
    after = words()
    sys.settrace(former)
    place = during.index(
        id(tracer)
    )  # the fields: profile function, trace function, profile object, trace object
    if after[place] or after[place - 2] or not during[place - 2]:
        raise LookupError("a thread state does not look as it should")
    return (place - 2) * size, place * size, during[place - 2]


def _find_other_threads(ctypes: Any) -> Any:
    if not _UP_TO_311:
        return None
    _OtherThreads(ctypes, lambda frame, what, argument: None)  # to see here and now whether it works
    return partial(_OtherThreads, ctypes)


_FINDERS: dict[str, Callable[[Any], Any]] = {
    "OtherThreads": _find_other_threads,
    "raise_in_thread": _find_raise_in_thread,
    "set_constant": _find_set_constant,
    "write_back_locals": _find_write_back_locals,
}
