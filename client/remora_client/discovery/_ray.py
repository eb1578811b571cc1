"""`ray://[ADDRESS]`: the nodes, workers and actors of a Ray cluster, through the cluster's own client.

Ray's calls block, so they run on threads of their own. What is known of workers and actors comes from the
cluster's control store, which Ray itself reads through the same (private) accessor; its public way needs the
dashboard. Runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import logging
from typing import TYPE_CHECKING, Any

import ray

from remora_client._errors import ConnectError, Unreachable, UsageError
from remora_client._records import record
from remora_client._text import visible
from remora_client._transport._dial import dial
from remora_client.discovery import Target
from remora_client.discovery._key import Key
from remora_client.discovery._ray_hook import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from remora_client._connecting._connect import Link
    from remora_client._options import ConnectOptions

__all__ = ["Ray"]

_ASK_SECONDS = 5.0
_LEAVE_SECONDS = 5.0
_NO_HOOK = "no set-up hook in it; docs/ray.md says how a job gets one"
_WORKER = 0  # of Ray's WorkerType: not a driver, nor one of Ray's own


@record
class _Cluster:
    """One look at the control store."""

    nodes: list[dict[str, Any]]
    actors: dict[str, Any]  # by id; rows of its table
    workers: dict[tuple[str, int], str]  # by host and pid: the id
    hooks: dict[str, dict[str, Any]]  # by a worker's id: what its hook said

    def hook_of(self, host: str, pid: int) -> dict[str, Any] | None:
        """What the hook of that process said, if it has one."""
        return self.hooks.get(self.workers.get((host, pid), ""))


class Ray:
    """A cluster, as its control store knows it."""

    def __init__(self, url: str, options: ConnectOptions) -> None:
        self._options = options
        self._url = url
        self._address = url.partition("://")[2].rstrip("/") or "auto"
        if "/" in self._address or "@" in self._address:
            raise UsageError("The form is ray:// for the cluster of this machine, or ray://HOST:PORT.")
        self._key: Key | None = None
        self._connected = False
        self._is_ours = False
        self._switched_on: list[Any] = []  # handles of actors

    async def targets(self) -> AsyncIterator[Target]:
        """The nodes, the actors, and the workers that are no actors."""
        await self._connect()
        cluster = await self._blocking(_look)
        for node in cluster.nodes:
            host = str(node["NodeManagerAddress"])
            count = sum(1 for address, _ in cluster.workers if address == host)
            yield Target(
                str(node["NodeID"]),
                f"ray node {node['NodeManagerHostname']}",
                "node",
                host,
                remark=f"{count} worker{'s' * (count != 1)}",
                can_attach=False,
            )
        taken = set()
        for ident, actor in cluster.actors.items():
            host, pid = actor.address.ip_address, actor.pid
            taken.add((host, pid))
            can = _is_python(actor) or cluster.hook_of(host, pid) is not None
            name = f"ray actor {actor.class_name} {actor.name}".rstrip()
            remark = "" if can else "it is not written in Python"
            yield Target(ident, name, "actor", host, pid, remark=remark, can_attach=can)
        for (host, pid), ident in cluster.workers.items():
            if (host, pid) not in taken:
                hook = cluster.hooks.get(ident)
                remark = _NO_HOOK if hook is None else str(hook.get("problem", ""))
                name = f"ray worker {ident[:8]}"
                yield Target(ident, name, "worker", host, pid, remark=remark, can_attach=not remark)

    async def attach(self, target: Target) -> Link:
        """Go in through the worker's set-up hook, or have the actor switch attach on."""
        await self._connect()
        cluster = await self._blocking(_look)
        assert target.pid is not None
        hook = cluster.hook_of(target.host, target.pid)
        if hook is not None:
            key = Key(str(hook["secret"]), b"", b"", str(hook["fingerprint"]))
            return await key.enter(target.host, hook, self._options, target.name)
        if self._key is None:
            self._key = Key.new()
        arguments = self._key.arguments(target.name, [target.host, "0.0.0.0"])
        actor = cluster.actors.get(target.key)
        if actor is None:
            raise ConnectError(f"{visible(target.name)} has gone.")
        handle = await self._blocking(lambda: _handle(actor))
        try:
            answer = await self._blocking(
                lambda: ray.get(handle.__ray_call__.remote(_enable(arguments)), timeout=_ASK_SECONDS)
            )
        except ray.exceptions.GetTimeoutError:
            raise ConnectError(
                f"{visible(target.name)} is busy: it does one call after the other.",
                "Try again when its method has returned; or give its job the set-up hook (docs/ray.md).",
            ) from None
        self._switched_on.append(handle)
        return await self._key.enter(target.host, answer, self._options, target.name)

    async def close(self) -> None:
        """Switch attach off in the actors where it was switched on by us, and leave the cluster."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._blocking(self._leave)

    def _leave(self) -> None:
        if self._switched_on:
            calls = [handle.__ray_call__.remote(_disable()) for handle in self._switched_on]
            self._switched_on.clear()
            ray.wait(calls, num_returns=len(calls), timeout=_LEAVE_SECONDS / 2)
        if self._is_ours:
            self._is_ours = self._connected = False
            ray.shutdown()

    async def _connect(self) -> None:
        if self._connected:
            return
        await self._knock()
        logging.getLogger("ray").setLevel(logging.CRITICAL)  # what matters, we say ourselves
        if not ray.is_initialized():  # else we run in a driver, which has its own connection
            try:
                await asyncio.to_thread(
                    ray.init,
                    address=self._address,
                    namespace="remora",
                    log_to_driver=False,
                    configure_logging=False,
                )
            except (ConnectionError, RuntimeError, ValueError, OSError) as error:
                first = (str(error).splitlines() or [""])[0]
                raise Unreachable(
                    f"No Ray cluster answers at {visible(self._url)}: {visible(first)}",
                    "Run it on a machine of the cluster (where `ray status` works), with the cluster's "
                    "token, and with the same versions of Ray and Python.",
                ) from None
            self._is_ours = True
        self._connected = True

    async def _knock(self) -> None:
        """Ray itself tries for twenty seconds where nobody is."""
        host, colon, port = self._address.rpartition(":")
        if colon and port.isdecimal():
            (await dial(host.strip("[]"), int(port), self._options.timeout)).close()

    async def _blocking(self, function: Callable[[], Any]) -> Any:
        try:
            return await asyncio.to_thread(function)
        except (ray.exceptions.GetTimeoutError, ConnectError):
            raise
        except Exception as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise ConnectError(f"{visible(self._url)} does not do it: {visible(first)}") from None


def _look() -> _Cluster:
    from ray._private.state import state
    from ray.core.generated import gcs_pb2
    from ray.experimental import internal_kv

    nodes = [each for each in ray.nodes() if each["Alive"]]  # also connects the accessor
    accessor = state._global_state_accessor
    actors = [gcs_pb2.ActorTableData.FromString(raw) for raw in accessor.get_actor_table(None, None)]
    rows = [gcs_pb2.WorkerTableData.FromString(raw) for raw in accessor.get_worker_table()]
    workers = {
        (row.worker_address.ip_address, row.pid): row.worker_address.worker_id.hex()
        for row in rows
        if row.is_alive and row.worker_type == _WORKER
    }
    hooks = {}
    for name in internal_kv._internal_kv_list(b"", namespace=NAMESPACE):
        said = internal_kv._internal_kv_get(name, namespace=NAMESPACE)
        if name.decode() in workers.values() and said is not None:
            hooks[name.decode()] = json.loads(said)
    alive = {each.actor_id.hex(): each for each in actors if each.state == gcs_pb2.ActorTableData.ALIVE}
    return _Cluster(nodes, alive, workers, hooks)


def _is_python(actor: Any) -> bool:
    return bool(actor.function_descriptor.HasField("python_function_descriptor"))


def _handle(actor: Any) -> Any:
    """A way to speak to an actor, whether it has a name or not.

    What Ray itself makes of a name, from the same row. It is a weak one: the actor lives as long as it would
    without us.
    """
    from ray.core.generated import core_worker_pb2

    made = core_worker_pb2.ActorHandle(
        actor_id=actor.actor_id,
        owner_id=actor.owner_address.worker_id,
        owner_address=actor.owner_address,
        creation_job_id=actor.job_id,
        actor_creation_task_function_descriptor=actor.function_descriptor,
        name=actor.name,
        ray_namespace=actor.ray_namespace,
        is_detached=actor.is_detached,
        max_pending_calls=-1,
    )
    core = ray._private.worker.global_worker.core_worker
    handle = core.deserialize_and_register_actor_handle(made.SerializeToString(), None, True)
    # Where its class cannot be imported here, Ray has a stand-in for it that takes no arguments.
    handle._ray_method_signatures["__ray_call__"] = [
        inspect.Parameter("fn", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    ]
    return handle


def _enable(arguments: tuple[Any, ...]) -> Any:
    """For an actor: nested, so that Ray carries it by value."""

    def enable(actor: Any) -> Any:
        try:
            from remora_client.discovery._inside import switch_on
        except ImportError:
            return {"problem": "its Python has no package remora"}
        return switch_on(*arguments)

    return enable


def _disable() -> Any:
    def disable(actor: Any) -> None:
        from remora_client.discovery._inside import switch_off

        switch_off()

    return disable
