"""How a screen is divided among the panes, for every size of the terminal. Pure.

A pane that would get less than it needs to be of use is left out, the least important one first.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Literal, TypeAlias

from remora_client._records import record

__all__ = ["KINDS", "Arrangement", "Border", "Kind", "PaneName", "Sizes", "Slot", "arrange", "borders"]

Kind: TypeAlias = Literal["src", "vars", "split"]
PaneName: TypeAlias = Literal["source", "stack", "variables", "breakpoints", "output"]

#: The panes beside or above each other, and those at the right where there is room for two columns.
KINDS: dict[Kind, tuple[tuple[PaneName, ...], tuple[PaneName, ...]]] = {
    "src": (("source",), ()),
    "vars": (("variables",), ("stack",)),
    "split": (("source",), ("stack", "variables", "breakpoints")),
}
_IMPORTANCE: tuple[PaneName, ...] = ("source", "variables", "output", "stack", "breakpoints")
_TWO_COLUMNS = 72  # a narrower screen has one
_LEAST_ROWS = 3  # of a pane, with its title
_LEAST_COLUMNS = 24


@record
class Sizes:
    """What the person chose: shares of the width and height, and weights of panes above each other."""

    right: float = 0.4
    below: float = 0.3
    weights: dict[PaneName, float] = field(
        default_factory=lambda: {"source": 5, "stack": 3, "variables": 4, "breakpoints": 2, "output": 3}
    )

    def wider(self, change: float) -> Sizes:
        """The right column gets so much more of the width."""
        return replace(self, right=min(max(self.right + change, 0.15), 0.8))

    def taller(self, pane: PaneName, change: float) -> Sizes:
        """A pane gets so much more of the height."""
        if pane == "output":
            return replace(self, below=min(max(self.below + change, 0.1), 0.8))
        weight = max(self.weights[pane] * (1 + 4 * change), 0.5)
        return replace(self, weights={**self.weights, pane: weight})

    def with_border(self, border: Border, column: int, row: int, now: Arrangement) -> Sizes:
        """A border was moved to where the mouse is."""
        if border.pane is None:
            share = (now.columns - column - 1) / now.columns
            return replace(self, right=min(max(share, 0.15), 0.8))
        if border.pane == "output":
            return replace(self, below=min(max((now.rows - row) / now.rows, 0.1), 0.8))
        slots = now.left if any(each.pane == border.pane for each in now.left) else now.right
        index = next(number for number, each in enumerate(slots) if each.pane == border.pane)
        rows = [each.rows for each in slots]
        both = rows[index - 1] + rows[index]
        upper = min(max(row - sum(rows[: index - 1]), _LEAST_ROWS), both - _LEAST_ROWS)
        rows[index - 1 : index + 1] = [upper, both - upper]
        spare = {each.pane: max(size - _LEAST_ROWS, 0.01) for each, size in zip(slots, rows, strict=True)}
        return replace(self, weights={**self.weights, **spare})


@record
class Border:
    """A line that can be moved: the title of a pane, or with None what is between the columns."""

    pane: PaneName | None
    left: int
    right: int
    top: int
    bottom: int


@record
class Slot:
    """A pane and how many rows it has, its title among them."""

    pane: PaneName
    rows: int


@record
class Arrangement:
    """The panes at the left, those at the right, and how wide those are; `output` is below them all."""

    left: tuple[Slot, ...]
    right: tuple[Slot, ...] = ()
    right_columns: int = 0
    below: tuple[Slot, ...] = ()
    columns: int = 0
    rows: int = 0

    @property
    def panes(self) -> tuple[PaneName, ...]:
        """All that are to be seen, from the top left to the bottom."""
        return tuple(each.pane for each in (*self.left, *self.right, *self.below))


def arrange(kind: Kind, columns: int, rows: int, sizes: Sizes | None = None) -> Arrangement:
    """Divide `columns` by `rows` characters, which are what the prompt and the bar leave over."""
    sizes = sizes or Sizes()
    left, right = KINDS[kind]
    if columns < _TWO_COLUMNS:
        left, right = (*left, *right), ()
    columns_of_panes = [column for column in (left, right) if column]
    deepest = max(len(column) for column in columns_of_panes)
    fitting = max(rows // _LEAST_ROWS, 1)
    shows_output = fitting > 1
    if deepest + shows_output > fitting:
        left, right = (_fitting(column, max(fitting - shows_output, 1)) for column in (left, right))
    below = max(_LEAST_ROWS, round(rows * _share(len(left), right, sizes))) if shows_output else 0
    deepest = max(len(left), len(right))
    below = min(below, rows - _LEAST_ROWS * deepest) if shows_output else 0
    above = rows - below
    width = min(max(round(columns * sizes.right), _LEAST_COLUMNS), columns - _LEAST_COLUMNS) if right else 0
    return Arrangement(
        _slots(left, above, sizes),
        _slots(right, above, sizes),
        width,
        (Slot("output", below),) if below else (),
        columns,
        rows,
    )


def borders(now: Arrangement) -> list[Border]:
    """The lines that can be moved, as half-open ranges of columns and rows."""
    edge = now.columns - now.right_columns if now.right else now.columns
    above = now.rows - sum(each.rows for each in now.below)
    found = [Border(None, edge - 1, edge, 0, above)] if now.right else []
    for slots, left, right in ((now.left, 0, edge - bool(now.right)), (now.right, edge, now.columns)):
        top = 0
        for index, slot in enumerate(slots):
            if index:
                found.append(Border(slot.pane, left, right, top, top + 1))
            top += slot.rows
    return found + [Border(each.pane, 0, now.columns, above, above + 1) for each in now.below]


def _share(stacked: int, right: tuple[PaneName, ...], sizes: Sizes) -> float:
    """The output's part of the height: less where everything is in one column."""
    return sizes.below if right or stacked < 3 else sizes.below * 0.8


def _fitting(column: tuple[PaneName, ...], count: int) -> tuple[PaneName, ...]:
    kept = sorted(column, key=_IMPORTANCE.index)[:count]
    return tuple(each for each in column if each in kept)


def _slots(column: tuple[PaneName, ...], rows: int, sizes: Sizes) -> tuple[Slot, ...]:
    """Each pane's rows, by weight; none less than the least."""
    if not column:
        return ()
    spare = max(rows - _LEAST_ROWS * len(column), 0)
    total = sum(sizes.weights[each] for each in column)
    given = [_LEAST_ROWS + int(spare * sizes.weights[each] / total + 1e-6) for each in column]
    if rows < _LEAST_ROWS * len(column):
        given = [rows]
    given[0] += rows - sum(given)
    return tuple(Slot(pane, size) for pane, size in zip(column, given, strict=True))
