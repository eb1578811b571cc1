"""Random small programs for an event loop, with tasks that wait for each other.

The same number gives the same. They do only what asyncio does in the same order in each run: no timer goes
off, and nothing comes from outside. Runs under the Python to be tested.
"""

from __future__ import annotations

import sys

from programs import Scope, Writer

__all__ = ["make"]

_LAST = """\


async def everything():
    if FACTORY is not None:
        asyncio.get_running_loop().set_task_factory(FACTORY)
    try:
        return await start()
    finally:
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)


def main():
    try:
        return asyncio.run(everything())
    except asyncio.CancelledError:
        return 0
"""


class _LoopWriter(Writer):
    def program(self) -> str:
        self.lines.insert(0, "import asyncio")
        kinds = ["coroutine", "coroutine", "coroutine", "agenerator", "generator", "function"]
        self.define("coroutine")
        for kind in self.random.sample(kinds, self.random.randint(2, 5)):
            self.define(kind)
        self.begin_main("async def start():")
        scope = Scope("coroutine", [])
        scope.budget = 14
        self.block(1, scope)
        self.suspending(1, scope)
        self.block(1, scope)
        self.line(1, "return x")
        is_eager = sys.version_info >= (3, 12) and self.random.random() < 0.2
        self.line(0, f"\n\nFACTORY = {'asyncio.eager_task_factory' if is_eager else None}")
        return "\n".join(self.lines) + "\n" + _LAST

    def statement(self, depth: int, scope: Scope) -> None:
        if scope.kind == "coroutine" and self.random.random() < 0.35:
            scope.budget -= 1
            self.suspending(depth, scope)
        else:
            super().statement(depth, scope)

    def suspending(self, depth: int, scope: Scope) -> None:
        names = _WAITS + (_GUARDS if depth < 4 and scope.budget > 0 else ())
        getattr(self, self.random.choice(names))(depth, scope)

    def coroutine(self) -> str:
        """A call of one."""
        names = self.coroutines or ["asyncio.sleep"]
        name = self.random.choice(names)
        return f"{name}(0, x)" if name == "asyncio.sleep" else f"{name}({self.value()})"

    # -- simple statements

    def runs_coroutine(self, depth: int, scope: Scope) -> None:
        self.calls(depth, scope)  # what waits for the loop cannot be driven by hand

    def sleeps(self, depth: int, scope: Scope) -> None:
        self.line(depth, f"x = await asyncio.sleep(0, {self.value()})")

    def gathers(self, depth: int, scope: Scope) -> None:
        if self.random.random() < 0.3:
            self.line(depth, f"x = len(await asyncio.gather({self.coroutine()}, return_exceptions=True))")
        elif self.random.random() < 0.5:
            self.line(depth, f"x = sum(await asyncio.gather({self.coroutine()}, {self.coroutine()})) % 7")
        else:
            self.line(depth, "x = sum(await asyncio.gather(")
            for _ in range(self.random.randint(1, 3)):
                self.line(depth + 1, f"{self.coroutine()},")
            self.line(depth, ")) % 7")

    def task(self, depth: int, scope: Scope) -> None:
        name = self.name("task")
        self.line(depth, f"{name} = asyncio.ensure_future({self.coroutine()})")
        for _ in range(self.random.randint(0, 2)):
            self.random.choice((self.sleeps, self.calls, self.await_))(depth, scope)
        self.line(depth, f"x = await {name}")

    def cancels(self, depth: int, scope: Scope) -> None:
        name = self.name("task")
        self.line(depth, f"{name} = asyncio.ensure_future({self.coroutine()})")
        for _ in range(self.random.randint(0, 2)):
            self.sleeps(depth, scope)
        self.line(depth, f"{name}.cancel()")
        self.line(depth, "try:")
        self.line(depth + 1, f"x = await {name}")
        self.line(depth, "except asyncio.CancelledError:")
        self.line(depth + 1, "x = 3")

    def waits_for(self, depth: int, scope: Scope) -> None:
        how = self.random.choice(("wait_for({}, 600)", "shield({})"))
        self.line(depth, f"x = await asyncio.{how.format(self.coroutine())}")

    def takes(self, depth: int, scope: Scope) -> None:
        name = self.name("queue")
        self.line(depth, f"{name} = asyncio.Queue()")
        self.line(depth, f"asyncio.ensure_future({name}.put({self.value()}))")
        self.line(depth, f"x = await {name}.get()")

    def awaited_list(self, depth: int, scope: Scope) -> None:
        name = self.random.choice((*self.coroutines, "asyncio.sleep"))
        call = "asyncio.sleep(0, i)" if name == "asyncio.sleep" else f"{name}(i)"
        self.line(depth, f"x = sum([await {call} for i in {self.source()}]) % 7")

    # -- compound statements

    def group(self, depth: int, scope: Scope) -> None:
        if sys.version_info < (3, 11):
            return self.gathers(depth, scope)
        name = self.name("group")
        self.line(depth, f"async with asyncio.TaskGroup() as {name}:")
        for _ in range(self.random.randint(1, 2)):
            self.line(depth + 1, f"{name}.create_task({self.coroutine()})")
        self.block(depth + 1, scope)
        return None

    def lock(self, depth: int, scope: Scope) -> None:
        name = self.name("lock")
        kind = self.random.choice(("Lock()", "Semaphore(1)", "Condition()"))
        if sys.version_info >= (3, 11) and self.random.random() < 0.3:
            kind = "timeout(600)"
        self.line(depth, f"{name} = asyncio.{kind}")
        self.line(depth, f"async with {name}:")
        self.block(depth + 1, scope)

    def catches_cancel(self, depth: int, scope: Scope) -> None:
        self.line(depth, "try:")
        self.sleeps(depth + 1, scope)
        self.block(depth + 1, scope)
        self.line(depth, "except asyncio.CancelledError:")
        self.block(depth + 1, scope)
        self.line(depth + 1, "raise")


_WAITS = (
    "sleeps", "sleeps", "gathers", "gathers", "task", "task", "cancels", "waits_for", "takes", "awaited_list",
)  # fmt: skip
_GUARDS = ("group", "group", "lock", "catches_cancel", "catches_cancel", "async_with", "async_for")


def make(seed: int) -> str:
    """The program of this number."""
    return _LoopWriter(seed).program()
