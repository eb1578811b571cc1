"""`dask://scheduler:8786`: the workers of a Dask cluster, through the cluster's own client.

What runs in the scheduler and in the workers is carried there by value (nested functions), so that the
scheduler needs no Remora. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from distributed import Client
from distributed.security import Security

from remora_client._errors import ConnectError, Unreachable, UsageError
from remora_client._text import visible
from remora_client.discovery import Target
from remora_client.discovery._inside import switch_off, switch_on
from remora_client.discovery._key import Key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from remora_client._connecting._connect import Link
    from remora_client._options import ConnectOptions

__all__ = ["Dask"]

_ASK_SECONDS = 5.0
_LEAVE_SECONDS = 3.0
_PORT = 8786


class Dask:
    """A cluster, as its scheduler knows it."""

    def __init__(self, url: str, options: ConnectOptions) -> None:
        self._options = options
        self._url = url
        self._address = _address(url)
        self._client: Any = None
        self._key: Key | None = None
        self._switched_on: set[str] = set()
        self._processes: dict[str, int] = {}  # by the worker's own id, which a new process never has again

    async def targets(self) -> AsyncIterator[Target]:
        """The workers, and what each is at."""
        client = await self._connected()
        workers = await self._on_scheduler(client, _look)
        unknown = [each["address"] for each in workers if each["id"] not in self._processes]
        if unknown:
            pids = await self._in_workers(client, unknown, _process_id)
            for each in workers:
                pid = pids.get(each["address"])
                if isinstance(pid, int):
                    self._processes[each["id"]] = pid
        for each in workers:
            yield Target(
                key=each["id"],
                name=f"dask worker {each['name']}",
                kind="worker",
                host=each["host"],
                pid=self._processes.get(each["id"]),
                doing=tuple(each["tasks"]),
                remark="" if each["status"] == "running" else str(each["status"]),
            )

    async def attach(self, target: Target) -> Link:
        """Switch attach on in a worker, and go in."""
        client = await self._connected()
        workers = {each["id"]: each for each in await self._on_scheduler(client, _look)}
        if target.key not in workers:
            raise ConnectError(f"{visible(target.name)} has gone.")
        worker = workers[target.key]
        if self._key is None:
            self._key = Key.new()
        address = worker["address"]
        arguments = self._key.arguments(target.name, [worker["host"], "0.0.0.0"])
        answers = await self._in_workers(client, [address], switch_on, *arguments)
        answer = answers.get(address) or {"problem": "it gives no answer; another debugger may hold it"}
        self._switched_on.add(address)
        return await self._key.enter(worker["host"], answer, self._options, target.name)

    async def close(self) -> None:
        """Switch attach off where it was switched on by us; the scheduler forgets about us by itself."""
        if self._client is None:
            return
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_LEAVE_SECONDS):
                if self._switched_on:
                    await self._in_workers(self._client, sorted(self._switched_on), switch_off)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._client.close()
        self._client = None

    async def _connected(self) -> Any:
        if self._client is None:
            for name in ("distributed.client", "distributed.core", "distributed.batched"):
                logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters, we say ourselves
            try:
                self._client = await Client(
                    self._address,
                    asynchronous=True,
                    set_as_default=False,
                    timeout=self._options.timeout,
                    name="remora",
                )
            except (OSError, TimeoutError, ValueError, RuntimeError) as error:
                raise Unreachable(
                    f"No Dask scheduler answers at {visible(self._address)}: {visible(str(error))}",
                    "Its log names its address. With TLS, Dask's own configuration is needed here.",
                ) from None
            await self._on_scheduler(self._client, _keep_leases, client_id=self._client.id)
        return self._client

    async def _on_scheduler(self, client: Any, function: Any, **arguments: Any) -> Any:
        try:
            async with asyncio.timeout(self._options.timeout):
                return await client.run_on_scheduler(function(), **arguments)
        except Exception as error:
            raise ConnectError(f"{visible(self._url)} gives no answer: {visible(str(error))}") from None

    async def _in_workers(
        self, client: Any, addresses: list[str], function: Any, *arguments: Any
    ) -> dict[str, Any]:
        """What a function gave in each worker; a worker that gives no answer is left out."""

        async def run(address: str) -> tuple[str, Any]:
            try:
                async with asyncio.timeout(_ASK_SECONDS):
                    answers = await client.run(function, *arguments, workers=[address], on_error="return")
            except Exception as error:
                return address, {"problem": str(error) or "no answer in time"}
            return address, answers.get(address)

        return dict(await asyncio.gather(*map(run, addresses)))


def _address(url: str) -> str:
    """What the cluster's client takes. TLS is used when Dask's configuration has certificates for it."""
    place = url.partition("://")[2].rstrip("/")
    if not place or "@" in place or "/" in place:
        raise UsageError("The form is dask://HOST[:PORT], the address of the scheduler.")
    if place.endswith("]") or ":" not in place:
        place = f"{place}:{_PORT}"
    tls = Security().get_connection_args("client").get("ssl_context") is not None
    return f"{'tls' if tls else 'tcp'}://{place}"


def _process_id() -> int:
    import os

    return os.getpid()


def _look() -> Any:
    """For the scheduler: who there is."""

    def look(dask_scheduler: Any) -> list[dict[str, Any]]:
        return [
            {
                "id": worker.server_id,
                "address": address,
                "name": str(worker.name),
                "host": worker.host,
                "status": str(worker.status.name),
                "tasks": [str(task.key) for task in list(worker.processing)[:20]],
            }
            for address, worker in dask_scheduler.workers.items()
        ]

    return look


def _keep_leases() -> Any:
    """For the scheduler: while our client is there, a worker that sends no heartbeat is not given up.

    All of a worker's threads halt at a stop, the one that sends heartbeats among them. The scheduler takes a
    worker for dead after `worker-ttl` (five minutes) without one, restarts it and gives its tasks to others.
    """

    def keep(dask_scheduler: Any, client_id: str) -> None:
        import time

        from distributed.diagnostics.plugin import SchedulerPlugin

        class Leases(SchedulerPlugin):  # type: ignore[misc]
            name = "remora-leases"

            def __init__(self) -> None:
                self.clients: set[str] = set()
                self.before = dask_scheduler.worker_ttl

            def remove_client(self, scheduler: Any, client: str) -> None:
                self.clients.discard(client)
                if self.clients:
                    return
                for worker in scheduler.workers.values():
                    worker.last_seen = time.time()  # it was held: its time begins now
                scheduler.worker_ttl = self.before
                scheduler.remove_plugin(name=self.name)

        leases = dask_scheduler.plugins.get(Leases.name)
        if leases is None:
            leases = Leases()
            dask_scheduler.add_plugin(leases)
        leases.clients.add(client_id)
        if leases.before:
            dask_scheduler.worker_ttl = float("inf")

    return keep
