"""Facts about an object of the program, asked for by expressions of ours. Event loop's thread."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from remora_client._errors import ClientError
from remora_client._literal import read_literal
from remora_client._records import record
from remora_client._text import visible
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora_client._model import Frame, Value
    from remora_client._sessions._session import Session

__all__ = [
    "ObjectInfo",
    "Referrer",
    "Size",
    "code_of",
    "inspect",
    "names_of",
    "place_of",
    "referrers",
    "size_of",
    "source_of",
    "unquoted",
]

_MOST_HOLDERS = 50
# Called with what refers to the object, the frame's names, its module's, and the object itself. Its names are
# its own, so that no variable of the program is taken for one of them.
_DESCRIBE = (
    "(lambda _r_found, _r_here, _r_module, _r_it: "
    "[('local variable', _r_key) for _r_key in _r_here"
    " if _r_here is not _r_module and _r_here[_r_key] is _r_it]"
    " + [(type(_r_one).__name__, ', '.join([str(_r_key) for _r_key in list(_r_one)"
    " if _r_one[_r_key] is _r_it][:5]) if type(_r_one) is dict else '')"
    " for _r_one in _r_found if not (type(_r_one) is dict and _r_one is not _r_module"
    " and _r_one.keys() == _r_here.keys()) and type(_r_one).__name__ not in ('frame', 'list_iterator')"
    " and not str(type(_r_one).__module__).startswith('remora.')]"  # what we hold ourselves, to show it
    f"[:{_MOST_HOLDERS}])"
)


def unquoted(text: str) -> str:
    """The text that a string's repr stands for."""
    try:
        value = read_literal(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


@record
class ObjectInfo:
    """What an object of the program is; what it has not is ""."""

    type: str
    value: str
    signature: str = ""
    file: str = ""
    doc: str = ""


@record
class Size:
    """How large an object is: bytes without what it refers to, and items, where it has a length."""

    bytes: int
    items: int | None = None


@record
class Referrer:
    """What refers to an object: its type, and by which names or keys."""

    type: str
    names: str = ""


async def source_of(session: Session, expression: str, frame: Frame | None = None) -> str:
    """The source text of a function, class or module. Raises `ClientError`: it has none."""
    asked = f"__import__('inspect').getsource({expression})"
    try:
        value = await session.evaluate(asked, frame, "clipboard")
    except RequestFailed as error:
        kind = (await session.evaluate(expression, frame)).type  # says itself when there is no such thing
        why = "" if str(error).startswith("TypeError") else f" ({visible(str(error))})"
        raise ClientError(
            f"{expression} is of type {visible(kind)}, and has no source text{why}.",
            "Functions, classes and modules have one.",
        ) from None
    return unquoted(value.value).rstrip("\n")


async def place_of(session: Session, expression: str, frame: Frame | None = None) -> tuple[str, int] | None:
    """The file and line where a function or class begins, by what the program says; None: it has none."""
    code = f"__import__('inspect').unwrap({expression}).__code__"
    source = f"(i.getsourcefile({expression}), i.getsourcelines({expression})[1])"
    lookup = f"(lambda i: {source})(__import__('inspect'))"
    for asked in (f"({code}.co_filename, {code}.co_firstlineno)", lookup):
        with contextlib.suppress(RequestFailed, ValueError):
            match read_literal((await session.evaluate(asked, frame, "clipboard")).value):
                case (str(path), int(line)) if path:
                    return path, line
    return None


async def code_of(session: Session, expression: str, frame: Frame | None = None) -> str:
    """The bytecode of a function, class or code, as `dis` writes it."""
    asked = f"__import__('dis').Bytecode({expression}).dis()"
    return unquoted((await session.evaluate(asked, frame, "clipboard")).value).rstrip("\n")


async def inspect(session: Session, expression: str, frame: Frame | None = None) -> ObjectInfo:
    """What an object is. Asking runs no code of the object's but its `repr` and `__doc__`."""
    value = await session.evaluate(expression, frame)
    signature = file = ""
    if _may_be_called(value):
        signature = await _quietly(session, f"str(__import__('inspect').signature({expression}))", frame)
        file = await _quietly(session, f"__import__('inspect').getsourcefile({expression})", frame)
    doc = await _quietly(session, f"__import__('inspect').getdoc({expression})", frame)
    return ObjectInfo(value.type, value.value, signature, file, doc)


def _may_be_called(value: Value) -> bool:
    return any(word in value.type for word in ("function", "method", "type", "class", "builtin"))


async def _quietly(session: Session, expression: str, frame: Frame | None) -> str:
    try:
        found = (await session.evaluate(expression, frame, "clipboard")).value
    except RequestFailed:
        return ""
    return unquoted(found).removeprefix("None")


async def names_of(session: Session, expression: str, frame: Frame | None = None) -> list[str]:
    """The names that an object has, as `dir` gives them; none of them is read."""
    listed = await _asked(session, f"dir({expression})", frame, lambda found: isinstance(found, list))
    return [str(name) for name in listed]


async def size_of(session: Session, expression: str, frame: Frame | None = None) -> Size:
    """How large an object is, without what it refers to."""
    size = await _asked(session, f"__import__('sys').getsizeof({expression})", frame, _is_count)
    asked = f"len({expression}) if hasattr(type({expression}), '__len__') else None"
    return Size(size, await _asked(session, asked, frame, lambda found: found is None or _is_count(found)))


async def referrers(session: Session, expression: str, frame: Frame | None = None) -> list[Referrer]:
    """What refers to an object, at most 50 of those."""
    collected = f"__import__('gc').get_referrers({expression})"
    asked = f"{_DESCRIBE}({collected}, locals(), globals(), ({expression}))"
    found = await _asked(session, asked, frame, _is_pairs)
    return [Referrer(str(kind), str(names)) for kind, names in found]


def _is_count(found: object) -> bool:
    return isinstance(found, int)


def _is_pairs(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(each, tuple) and len(each) == 2 for each in found)


async def _asked(
    session: Session, expression: str, frame: Frame | None, is_right: Callable[[object], bool]
) -> Any:
    """The value of an expression of ours, whose answer is plain data of a kind that `is_right` knows."""
    value = await session.evaluate(expression, frame, "clipboard")
    with contextlib.suppress(ValueError):
        found = read_literal(value.value)
        if is_right(found):
            return found
    raise ClientError(
        f"The program does not give what was asked of it, but {visible(value.value)[:200]}",
        f"Asked was: {visible(expression)[:200]}",
    )
