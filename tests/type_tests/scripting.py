"""What a type checker must say of scripts, and what it must not let pass. Read by mypy, never run.

`assert_type` holds what must check; an `ignore` with its code holds what must not: one that is not needed is
an error itself (`warn_unused_ignores`).
"""

from __future__ import annotations

from typing import assert_type

from remora_client import (
    Breakpoint,
    ExceptionFilter,
    Frame,
    Scope,
    Session,
    Sessions,
    SourceText,
    Stop,
    Thread,
    Value,
    aio,
    attach,
    attach_all,
)


def what_a_session_gives() -> None:
    with attach("tcp://host", source=["."]) as session:
        assert_type(session, Session)
        assert_type(session.break_at("app.py:3", condition="x"), Breakpoint)
        assert_type(session.resume(), Stop | None)
        assert_type(session.step_over(timeout=3), Stop | None)
        assert_type(session.go(), None)
        assert_type(session.threads(), list[Thread])
        assert_type(session.stack(), list[Frame])
        assert_type(session.locals(), list[Value])
        assert_type(session.scopes(), list[Scope])
        assert_type(session.evaluate("x"), Value)
        assert_type(session.evaluate("x").children(start=10, count=5), list[Value])
        assert_type(session.evaluate("x").child("y").set("3"), Value)
        assert_type(session.return_value(), Value | None)
        assert_type(session.call("f()"), Value | None)
        assert_type(session.step_instruction(into=True), Stop | None)
        assert_type(session.unread_input(), int)
        assert_type(session.change_breakpoint(1, condition=None, temporary=True), Breakpoint)
        session.change_breakpoint(1, enabled="yes")  # type: ignore[arg-type]
        session.change_breakpoint(1, disabled=True)  # type: ignore[call-arg]
        session.break_on_exceptions([ExceptionFilter("uncaught", "ValueError")])
        session.listen(lambda event, body: print(event, body["output"]), "output")


def a_stop_and_its_frame(stop: Stop) -> None:
    assert_type(stop.frame, Frame | None)
    stop.frame.locals()  # type: ignore[union-attr]  # there may be none
    if stop.frame is not None:
        assert_type(stop.frame.line, int)
        assert_type(stop.frame.locals(), list[Value])
        assert_type(stop.frame.evaluate("x"), Value)
        assert_type(stop.frame.source_text(), SourceText)
        stop.frame.line = 3  # type: ignore[misc]  # records do not change


def callbacks(session: Session) -> None:
    def note(stop: Stop) -> bool:
        return stop.reason == "breakpoint"

    def wrong(stop: int) -> None: ...

    session.break_at("app.py", 3, on_hit=note)
    session.break_at("app.py", 3, on_hit=lambda stop: print(stop.text))
    session.break_at("app.py", 3, on_hit=wrong)  # type: ignore[arg-type]


def what_is_wrong(session: Session) -> None:
    session.resume("3")  # type: ignore[arg-type]
    session.break_at(3)  # type: ignore[arg-type]
    session.evaluate("x", context="nonsense")  # type: ignore[arg-type]
    session.break_on_exceptions(["uncaught"])  # type: ignore[list-item]
    session.no_such_thing()  # type: ignore[attr-defined]
    session.resume().frame  # type: ignore[union-attr]  # noqa: B018 - the program may have ended


def several() -> None:
    with attach_all(["tcp://one", 4711]) as sessions:
        assert_type(sessions, Sessions)
        assert_type(sessions[0], Session)
        assert_type(sessions.wait_for_stop(), tuple[Session, Stop] | None)
        for session in sessions:
            assert_type(session, Session)


async def the_asyncio_twin() -> None:
    async with await aio.attach("tcp://host") as session:
        assert_type(session, aio.Session)
        assert_type(await session.resume(), aio.Stop | None)
        assert_type(await session.locals(), list[aio.Value])
        assert_type(await (await session.evaluate("x")).children(), list[aio.Value])
        session.resume().frame  # type: ignore[attr-defined]  # noqa: B018 - not awaited
    with aio.attach("tcp://host"):  # type: ignore[attr-defined]
        pass
    async with await aio.attach_all(["tcp://one"]) as sessions:
        assert_type(await sessions.wait_for_stop(), tuple[aio.Session, aio.Stop] | None)
