"""The variables of a frame as a tree that opens where the person opens it, a page of items at a time.

Asks the server only for what is open. What was open is found again by its path after the next stop, and
what has changed since the last stop in the same function is marked. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora_client._model import Frame, Scope, Variable
    from remora_client._sessions._session import Session

__all__ = ["PAGE", "Node", "Tree"]

PAGE = 100  # items that are asked for at once
_OPEN_AT_FIRST = ("locals", "returnValue")  # arguments are among the locals, too

Path: TypeAlias = "tuple[str, ...]"


@dataclass
class Node:
    """One row. `more` > 0: not a value, but so many items of `parent` that are not loaded yet."""

    name: str
    value: str = ""
    type: str = ""
    reference: int = 0
    path: Path = ()
    indexed: int = 0
    evaluate_name: str = ""
    children: list[Node] | None = None  # None: never asked for
    is_open: bool = False
    changed: bool = False
    more: int = 0
    parent: Node | None = None

    @property
    def depth(self) -> int:
        """0 for a scope."""
        return len(self.path) - 1


class Tree:
    """All scopes of one frame."""

    def __init__(self) -> None:
        self.roots: list[Node] = []
        self._open: set[Path] = set()
        self._closed: set[Path] = set()  # scopes that would be open, had the person not closed them
        self._pages: dict[Path, int] = {}
        self._before: dict[Path, str] = {}
        self._function: tuple[str, str] = ("", "")
        self._asking = asyncio.Lock()  # one look at a time, so that none shows what an older one found

    def clear(self) -> None:
        """Nothing is known: the program runs. What was open stays remembered."""
        self.roots = []

    def rows(self) -> list[Node]:
        """What is to be seen, from top to bottom."""
        return [each for root in self.roots for each in _flat(root)]

    async def load(self, session: Session, frame: Frame, *, moved: bool) -> None:
        """Ask for the values of a frame. `moved`: at a new stop, where changes are to be marked."""
        async with self._asking:
            await self._load(session, frame, moved=moved)

    async def _load(self, session: Session, frame: Frame, *, moved: bool) -> None:
        function = (frame.path, frame.name)
        if moved:
            same = function == self._function
            self._before = {each.path: each.value for each in self.rows()} if same else {}
        elif function != self._function:
            self._before = {}
        self._function = function
        roots = []
        for scope in sorted(await session.scopes(frame), key=lambda each: each.hint != "returnValue"):
            root = _scope(scope)
            first = scope.hint in _OPEN_AT_FIRST or scope.name == "Locals"
            if root.path in self._open or (first and root.path not in self._closed):
                await self._fill(session, root)
            roots.append(root)
        self.roots = roots

    def close(self, node: Node) -> None:
        """Show no more what is in a row."""
        node.is_open = False
        self._open.discard(node.path)
        self._closed.add(node.path)

    async def open(self, session: Session, node: Node) -> None:
        """Show what is in a row, or a page more where it stands for more."""
        async with self._asking:
            found = next((each for each in self.rows() if each.path == node.path), None)
            if found is None or found.is_open:  # meanwhile something else is shown, or it was opened twice
                return
            if found.more and found.parent is not None:
                found = found.parent
                self._pages[found.path] = self._pages.get(found.path, 1) + 1
            self._open.add(found.path)
            self._closed.discard(found.path)
            await self._fill(session, found)

    async def _fill(self, session: Session, node: Node) -> None:
        """Load the children of a row, and theirs where they were open before."""
        count = self._pages.get(node.path, 1) * PAGE
        if node.indexed > PAGE:
            found = await session.variables(node.reference, filter="named")
            found += await session.variables(node.reference, 0, count, "indexed")
        else:
            found = await session.variables(node.reference)
        if not node.depth:
            found.sort(key=lambda each: each.name.startswith("__"))  # a module's own names are seldom wanted
        children = [self._child(node, each) for each in found]
        for each in children:
            if each.path in self._open and each.reference:
                await self._fill(session, each)
        left = node.indexed - count
        if left > 0:
            path = (*node.path, "")
            children.append(Node(f"{left:,} more", path=path, more=left, parent=node))
        node.children = children
        node.is_open = True

    def _child(self, parent: Node, found: Variable) -> Node:
        path = (*parent.path, found.name)
        return Node(
            found.name,
            found.value,
            found.type,
            found.reference,
            path,
            found.indexed or 0,
            found.evaluate_name,
            changed=self._before.get(path, found.value) != found.value,
            parent=parent,
        )


def _scope(scope: Scope) -> Node:
    return Node(scope.name, reference=scope.reference, path=(scope.name,), indexed=scope.indexed or 0)


def _flat(node: Node) -> Iterator[Node]:
    yield node
    if node.is_open:
        for each in node.children or ():
            yield from _flat(each)
