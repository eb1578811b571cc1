"""Records: what `@record` makes is a frozen dataclass to whoever uses it."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from remora_client._records import record


@record
class Point:
    """A place."""

    x: int
    y: int = 0
    name: str = field(default="", kw_only=True, compare=False)
    marks: list[int] = field(default_factory=list, repr=False)

    def __str__(self) -> str:
        return f"{self.x}/{self.y}"


@record
class Pixel(Point):
    """One with a colour."""

    colour: str = "red"


def test_it_is_made_by_place_and_by_name_with_defaults() -> None:
    point = Point(1, y=2, name="here")
    assert (point.x, point.y, point.name, point.marks) == (1, 2, "here", [])
    assert Point(1).marks is not Point(1).marks
    pixel = Pixel(1, 2, [3], "blue", name="p")
    assert (pixel.marks, pixel.colour, pixel.name) == ([3], "blue", "p")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [((), {}), ((1, 2, [], 4), {}), ((1,), {"x": 2}), ((1,), {"z": 2}), ((1, 2), {"y": 2})],
)
def test_wrong_arguments_are_refused(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"Point\(\)"):
        Point(*arguments, **named)


def test_it_compares_prints_and_hashes_by_its_fields() -> None:
    assert Point(1, 2, name="a") == Point(1, 2, name="b")
    assert Point(1, 2) != Point(1, 3)
    assert Point(1, 2) != Pixel(1, 2)
    assert repr(Point(1, name="a")) == "Point(x=1, y=0, name='a')"
    assert str(Point(1)) == "1/0"  # its own method stays
    assert len({Point(1, marks=()), Point(1, marks=())}) == 1  # type: ignore[arg-type]


def test_it_cannot_be_changed() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x
    assert point.x == 1


def test_tools_for_dataclasses_take_it() -> None:
    point = Point(1, 2, name="a")
    assert dataclasses.replace(point, x=5) == Point(5, 2)
    assert dataclasses.asdict(point) == {"x": 1, "y": 2, "name": "a", "marks": []}
    assert copy.deepcopy(point) == point
    assert pickle.loads(pickle.dumps(point)) == point
    match point:
        case Point(x, y):
            assert (x, y) == (1, 2)
        case _:
            pytest.fail("no match")


def test_the_prompt_loads_few_frozen_dataclasses_that_are_compiled() -> None:
    """Each takes as long as twenty of these, and there were fifty."""
    script = """
import remora_client.cli, remora_client.repl.attach, remora_client.repl.line_editor, sys, dataclasses
for module in list(sys.modules.values()):
    for kind in list(vars(module).values()) if module.__name__.startswith("remora_client") else ():
        params = getattr(kind, "__dataclass_params__", None)
        if isinstance(kind, type) and params and params.frozen and kind.__module__ == module.__name__:
            print(kind)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
