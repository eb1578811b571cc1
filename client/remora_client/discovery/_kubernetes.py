"""`k8s://[NAMESPACE/]SELECTOR`: the Python processes in some pods, through the person's own kubectl.

kubectl lists the pods, and `kubectl exec` leads into each: at its other end runs `python3 -m remora proxy
--stdio`, which needs no port and no secret. Whoever may exec into a pod may do all that a debugger can. Runs
on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from typing import TYPE_CHECKING, Any

from remora_client._connecting._connect import Link, connect
from remora_client._errors import ClientError, ConnectError, Unreachable, UsageError
from remora_client._records import record
from remora_client._text import visible
from remora_client.discovery import Target
from remora_protocol import Qualifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from remora_client._options import ConnectOptions

__all__ = ["Kubernetes"]

_PODS_SECONDS = 5.0  # so long the list of pods is good
_AT_ONCE = 16  # ways into pods that are being opened


@record
class _Container:
    """One container of a pod that runs. Its `ident` is another one after a restart."""

    namespace: str
    pod: str
    name: str
    ident: str

    @property
    def place(self) -> str:
        return f"{self.pod}/{self.name}"


class Kubernetes:
    """Pods, as kubectl knows them."""

    def __init__(self, url: str, options: ConnectOptions) -> None:
        self._options = options
        self._url = url
        self._namespace, self._selector = _parsed(url)
        self._kubectl = shlex.split(os.environ.get("REMORA_KUBECTL") or "kubectl")
        self._python = options.remote_python or os.environ.get("REMORA_REMOTE_PYTHON") or "python3"
        self._containers: list[_Container] = []
        self._listed = float("-inf")
        self._links: dict[str, Link] = {}  # a way into each container that is kept for its list
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def targets(self) -> AsyncIterator[Target]:
        """The processes in all pods that run. A pod that cannot be entered stands there with the reason."""
        await self._list_pods()
        for found in await asyncio.gather(*map(self._processes, self._containers)):
            for each in found:
                yield each

    async def attach(self, target: Target) -> Link:
        """Another way into the pod, for the session alone."""
        for each in self._containers:
            if target.key.startswith(f"{each.ident} "):
                return await self._enter(each)
        raise ConnectError(f"{visible(target.host)} has gone.")

    async def close(self) -> None:
        """Leave the pods."""
        links, self._links = self._links, {}
        await asyncio.gather(*(each.close() for each in links.values()), return_exceptions=True)

    async def _processes(self, container: _Container) -> list[Target]:
        try:
            link = self._links.get(container.ident)
            if link is None or link.rpc.end is not None:
                async with self._gate:
                    link = self._links[container.ident] = await self._enter(container)
            processes = await link.processes()
        except ClientError as error:
            self._links.pop(container.ident, None)
            why = visible(error.text.splitlines()[0])
            return [
                Target(container.ident, container.name, "pod", container.place, remark=why, can_attach=False)
            ]
        return [
            Target(
                f"{container.ident} {each['pid']} {each['started']}",
                each["name"],
                "process",
                container.place,
                each["pid"],
                remark=f"attached by {each['attachedBy']}" if each["attachedBy"] else "",
            )
            for each in processes
        ]

    async def _enter(self, container: _Container) -> Link:
        words = [*self._kubectl, "exec", "-i", *_namespace(container.namespace), container.pod]
        words += ["-c", container.name, "--", *shlex.split(self._python), "-m", "remora", "proxy", "--stdio"]
        return await connect(Qualifier("via", "", 0, path=shlex.join(words)), self._options)

    async def _list_pods(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._listed < _PODS_SECONDS:
            return
        words = [*self._kubectl, "get", "pods", *_namespace(self._namespace), "-o", "json"]
        if self._selector:
            words += ["-l", self._selector]
        self._containers = _running(await self._run(words))
        self._listed = now
        here = {each.ident for each in self._containers}
        gone = [self._links.pop(ident) for ident in [*self._links] if ident not in here]
        await asyncio.gather(*(each.close() for each in gone), return_exceptions=True)

    async def _run(self, words: list[str]) -> Any:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *words, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
            )
        except OSError as error:
            raise UsageError(
                f"{visible(words[0])} cannot be started: {error.strerror}.",
                "k8s:// goes through kubectl; where it has another name, REMORA_KUBECTL says so.",
            ) from None
        try:
            async with asyncio.timeout(self._options.timeout):
                said, errors = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise Unreachable(f"kubectl gives no answer within {self._options.timeout:g} s.") from None
        if process.returncode:
            why = visible(" ".join(errors.decode("utf-8", "replace").split())[:300])
            raise ConnectError(f"kubectl could not list the pods of {visible(self._url)}: {why}")
        try:
            return json.loads(said)
        except ValueError:
            raise ConnectError("What kubectl said is not the list of pods.") from None


def _parsed(url: str) -> tuple[str, str]:
    namespace, slash, selector = url.partition("://")[2].partition("/")
    if not slash:
        namespace, selector = "", namespace
    if namespace.startswith("-") or selector.startswith("-") or not (namespace or selector):
        raise UsageError(
            "The form is k8s://NAMESPACE/SELECTOR, for example k8s://shop/app=web; k8s://NAMESPACE/ for all."
        )
    return namespace, selector


def _namespace(name: str) -> list[str]:
    return ["-n", name] if name else []


def _running(document: Any) -> list[_Container]:
    """The containers that run, of what `kubectl get pods -o json` said."""
    found = []
    for pod in document.get("items", []) if isinstance(document, dict) else []:
        about = pod.get("metadata", {})
        for status in pod.get("status", {}).get("containerStatuses", []):
            if "running" in status.get("state", {}):
                ident = status.get("containerID") or f"{about.get('uid')}/{status.get('name')}"
                found.append(
                    _Container(
                        str(about.get("namespace", "")),
                        str(about.get("name")),
                        str(status.get("name")),
                        str(ident).replace(" ", "_"),
                    )
                )
    return found
