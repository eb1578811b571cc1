"""`celery://MODULE[:APP]`: the pool processes of Celery's workers, through the app's own inspection.

Celery has no channel through which attach could be switched on, so it is for workers that enabled it
themselves. Inspection blocks, so it runs on a thread. Otherwise on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from celery import Celery

from remora_client._connecting._connect import Link, connect, connect_local
from remora_client._errors import ConnectError, NoSuchProcess, UsageError
from remora_client._text import visible
from remora_client.discovery import Target
from remora_protocol import DEFAULT_PORT, Qualifier, is_private_folder, registry_folders, socket_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from remora_client._options import ConnectOptions

__all__ = ["CeleryWorkers"]

_FORM = "The form is celery://MODULE[:APP][?port=N&tls=yes], with the module that has the app."
_INSPECT_SECONDS = 1.0


class CeleryWorkers:
    """The workers that answer an app."""

    def __init__(self, url: str, options: ConnectOptions) -> None:
        self._options = options
        self._url = url
        place, _, query = url.partition("://")[2].partition("?")
        self._module, _, self._attribute = place.rstrip("/").partition(":")
        if not all(part.isidentifier() for part in self._module.split(".")):
            raise UsageError(_FORM)
        settings = {name: values[-1] for name, values in parse_qs(query).items()}
        port = settings.pop("port", str(DEFAULT_PORT))
        self._scheme = "tcps" if settings.pop("tls", "no") == "yes" else "tcp"
        if settings or not port.isdecimal():
            raise UsageError(_FORM)
        self._port = int(port)
        self._app: Any = None

    async def targets(self) -> AsyncIterator[Target]:
        """The processes of all pools, and the tasks that each is running."""
        for node, about in sorted((await asyncio.to_thread(self._inspect)).items()):
            host = node.partition("@")[2] or node
            running: dict[int, list[str]] = {}
            for task in about["active"]:
                running.setdefault(int(task.get("worker_pid") or 0), []).append(
                    f"{task['name']} {task['id']}"
                )
            for pid in about["pids"]:
                doing = tuple(running.get(pid, ()))
                yield Target(f"{node} {pid}", f"celery {node} {pid}", "worker", host, pid, doing)

    async def attach(self, target: Target) -> Link:
        """Through the local registry on this machine, else through the port that the workers share."""
        assert target.pid is not None
        if target.host == socket.gethostname():
            for folder in registry_folders():
                path = socket_path(folder, target.pid)
                if is_private_folder(folder) and os.path.exists(path):
                    return await self._locally(path, target.pid)
        qualifier = Qualifier(self._scheme, target.host, self._port)
        link = await connect(qualifier, self._options)
        try:
            if target.pid not in [each["pid"] for each in await link.processes()]:
                raise NoSuchProcess(
                    f"Attach is not enabled in {visible(target.name)}, or not behind {qualifier}.",
                    "docs/celery.md says how a worker enables it.",
                )
        except BaseException:
            await link.close()
            raise
        return link

    async def _locally(self, path: str, pid: int) -> Link:
        try:
            return await connect_local(path, pid, self._options)
        except OSError as error:
            raise NoSuchProcess(f"Process {pid} does not answer: {error.strerror or error}.") from None

    async def close(self) -> None:
        """Let go of the broker."""
        if self._app is not None:
            self._app.close()

    def _inspect(self) -> dict[str, dict[str, Any]]:
        app = self._app = self._app or self._find()
        try:
            inspect = app.control.inspect(timeout=_INSPECT_SECONDS)
            stats, active = inspect.stats() or {}, inspect.active() or {}
        except Exception as error:  # of the broker's library, whichever that is
            raise ConnectError(
                f"{visible(self._url)}: the broker gives no answer: {visible(str(error))}"
            ) from None
        return {
            node: {
                "pids": (about.get("pool") or {}).get("processes") or [about.get("pid")],
                "active": active.get(node) or [],
            }
            for node, about in stats.items()
        }

    def _find(self) -> Celery:
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())  # as Celery's own command does
        try:
            module = importlib.import_module(self._module)
        except Exception as error:  # it is the person's own code
            raise UsageError(
                f"{self._module} cannot be imported here: {type(error).__name__}: {visible(str(error))}"
            ) from None
        named = self._attribute or "app"
        found = getattr(module, named, None)
        if not isinstance(found, Celery) and not self._attribute:
            found = next((each for each in vars(module).values() if isinstance(each, Celery)), None)
        if not isinstance(found, Celery):
            raise UsageError(f"{self._module} has no Celery app called {named}.", _FORM)
        return found
