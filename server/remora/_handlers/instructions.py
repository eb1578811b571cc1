"""Bytecode: what the functions are made of that the program is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora._handlers._places import describe_source
from remora._handlers._table import handles
from remora._inspection._disassembly import Row, disassemble, row_at
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from types import CodeType

    from remora._handlers._arguments import Arguments
    from remora._sessions._session import Session

__all__ = ["disassemble_at"]

_MOST = 20_000


@handles("disassemble", looks_only=True, capability="supportsDisassembleRequest")
def disassemble_at(session: Session, arguments: Arguments) -> dict[str, Any]:
    """So many instructions around an address. Where the function ends, what is missing is called invalid."""
    code, offset = _find(session, arguments.text("memoryReference"))
    count = arguments.number("instructionCount")
    if not 0 <= count <= _MOST:
        raise RequestFailed("bad-request", f"disassemble: instructionCount has to be from 0 to {_MOST}.")
    rows = disassemble(code)
    first = row_at(rows, offset + arguments.number("offset", 0)) + arguments.number("instructionOffset", 0)
    found = []
    for place in range(first, first + count):
        if 0 <= place < len(rows):
            found.append(_describe(session, code, rows[place], with_source=place in (0, first)))
        else:
            beyond = rows[-1].offset + 2 * (place - len(rows) + 1) if place > 0 else 0
            address = session.server.debugger.addresses.of(code, beyond)
            found.append({"address": hex(address), "instruction": "(none)", "presentationHint": "invalid"})
    return {"instructions": found}


@handles("remora/disassemble", looks_only=True)
def disassemble_frame(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The whole function that a frame runs, and where in it the frame is."""
    debugger = session.server.debugger
    frame = debugger.frame(arguments.number("frameId"))
    code, offset = debugger.place_of(frame)
    rows = disassemble(code)
    return {
        "name": frame.name,
        "instructions": [_describe(session, code, row, with_source=row is rows[0]) for row in rows],
        "current": row_at(rows, offset),
    }


def _find(session: Session, reference: str) -> tuple[CodeType, int]:
    try:
        found = session.server.debugger.addresses.find(int(reference, 0))
    except ValueError:
        found = None
    if found is None:
        raise RequestFailed("not-found", f"No code has been shown at {reference}.")
    return found


def _describe(session: Session, code: CodeType, row: Row, *, with_source: bool) -> dict[str, Any]:
    address = session.server.debugger.addresses.of(code, row.offset)
    body: dict[str, Any] = {"address": hex(address), "instruction": row.text, "symbol": code.co_name}
    if row.line is not None:
        body["line"] = row.line
        if with_source:
            body["location"] = describe_source(session.server.sources, code.co_filename)
    body["remora"] = {"offset": row.offset}
    return body
