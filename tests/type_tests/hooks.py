"""What a type checker must say of a program's hooks, and not let pass. Read by mypy, never run."""

from __future__ import annotations

from typing import assert_type

import remora


@remora.on_attach
def decide(client: remora.Client) -> bool:
    assert_type(client.name, str)
    assert_type(client.takes_over, bool)
    client.role = "driver"  # type: ignore[misc]
    return client.is_local


@remora.on_stop
def tell(stop: remora.Stop) -> None:
    assert_type(stop.line, int)
    assert_type(stop.thread, str)


@remora.renderer(complex, "shop.Money")
def show(value: complex) -> str | None:
    return f"{value.real} and so on"


def what_decorators_leave() -> None:
    assert_type(decide(remora.Client("", "", "", "", True, True, True, True, True, 0.0)), bool)
    assert_type(show(1j), str | None)
    assert_type(remora.on_attach(None), None)
    assert_type(remora.on_stop(None), None)
    remora.renderer(complex)(None)
    remora.trace_this_thread(False)


def what_must_not_pass() -> None:
    remora.on_attach(lambda: True)  # type: ignore[type-var]
    remora.on_stop("text")  # type: ignore[type-var]
    remora.renderer(7)  # type: ignore[arg-type]
