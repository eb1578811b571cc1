"""One editor's session: its requests go to the server, answers and events come back, file names translated.

    phase        is left by                what is taken
    new          initialize                nothing else
    waiting      attach                    configuration, which is held (see `_early`)
    attaching    the server's agreement    the same
    attached     disconnect, or the end    everything

Nothing is sent before initialize is answered. An attach is judged at once (name, TLS, login, process) and
answered as soon as the server is ready for configuration, for some editors wait for that answer before they
configure and some do not. Everything runs on the event loop's thread; what the server says is passed on in
its order. The file is this long because all of it reads or writes the phase.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Literal

from remora_client._bridge._capabilities import CAPABILITIES, changed_capabilities
from remora_client._bridge._children import Children
from remora_client._bridge._early import Early
from remora_client._bridge._paths import Paths
from remora_client._bridge._places import BREAKPOINT_REQUESTS, change_event_sources, change_response_sources
from remora_client._bridge._reach import reach
from remora_client._bridge._rendering import Rendering
from remora_client._bridge._wishes import as_keys
from remora_client._connecting._foreign import NO_AUTHENTICATION, foreign_name
from remora_client._errors import ClientError, Gone
from remora_client._model import records
from remora_client._sessions._debugpy import in_a_line
from remora_client._text import visible
from remora_client._transport._rpc import NoAnswer
from remora_protocol import RemoteProtocolError, RequestFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from remora_client._bridge._editor import Editor
    from remora_client._bridge._rendering import Renderers
    from remora_client._bridge._wishes import Wishes
    from remora_client._connecting._connect import Link
    from remora_protocol import Request, Response

__all__ = ["Adapter"]

_PATIENCE = 1.0  # an editor that has not attached by then wants to configure first
_SECONDS = 20.0
_GOODBYE_SECONDS = 2.0
_PING_SECONDS = 4.0
# Helix gives up at an event that it does not know.
_EVENTS = frozenset(
    {"breakpoint", "capabilities", "continued", "exited", "invalidated", "loadedSource", "memory", "module"}
    | {"output", "process", "progressEnd", "progressStart", "progressUpdate", "stopped", "terminated"}
    | {"thread"}
)
_NAMING = ("name", "path", "sourceReference")
_OBSERVER = "An observer sets no breakpoints."
_SNAPSHOT = "This is a snapshot: no program runs that could stop."
_HELD = BREAKPOINT_REQUESTS | {"configurationDone"}


class Adapter:
    """Serves one editor. `run` returns when it has left."""

    def __init__(self, editor: Editor, wishes: Wishes, renderers: Renderers | None = None) -> None:
        self._editor = editor
        self._renderers = renderers
        self._rendering: Rendering | None = None
        self._wishes = wishes
        self._phase: Literal["new", "waiting", "attaching", "attached", "over"] = "new"
        self._client: dict[str, Any] = {}
        self._early = Early()
        self._is_ready = False  # `initialized` was sent
        self._has_left = False
        self._link: Link | None = None
        self._paths: Paths | None = None
        self._children = Children(editor, self._say)
        self._server_ready = asyncio.Event()
        self._backlog: list[tuple[str, dict[str, Any]]] = []
        self._sent: dict[int, int] = {}  # the editor's request number -> ours
        self._sources: dict[int, dict[str, Any]] = {}  # breakpoint number -> Source as the editor names it
        self._tasks: set[asyncio.Task[None]] = set()
        self._own: dict[str, Callable[[Request], Awaitable[None]]] = {
            "attach": self._attach,
            "cancel": self._cancel,
            "disconnect": self._disconnect,
            "initialize": self._initialize,
            "launch": self._launch,
        }

    async def run(self) -> None:
        """Answer the editor until it hangs up."""
        try:
            while not self._has_left and (request := await self._editor.next_request()) is not None:
                try:
                    await self._take(request)
                except RequestFailed as error:
                    self._editor.fail(request, error)
            with contextlib.suppress(TimeoutError):  # let the editor hang up first
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    while self._has_left and await self._editor.next_request() is not None:
                        pass
        except RemoteProtocolError as error:
            self._say(f"That was no message of the Debug Adapter Protocol: {error}", "stderr")
        finally:
            await self._leave()
            self._editor.end()

    async def _take(self, request: Request) -> None:
        if self._phase == "new" and request.command not in ("initialize", "disconnect"):
            raise RequestFailed("bad-request", f"{request.command} came before initialize.")
        own = self._own.get(request.command)
        if own is not None:
            await own(request)
        elif self._phase == "attached":
            self._forward(request)
        elif request.command in _HELD and self._phase != "over":
            self._editor.respond(request, self._early.hold(request))
        elif request.command == "threads":
            self._editor.respond(request, {"threads": []})
        else:
            raise RequestFailed("failed", "Not attached to a program.")

    # -- the beginning ----------------------------------------------------------------------------

    async def _initialize(self, request: Request) -> None:
        if self._phase != "new":
            raise RequestFailed("bad-request", "The connection is initialized already.")
        self._client = {"adapterID": "remora", **request.arguments}
        self._children.can_start = request.arguments.get("supportsStartDebuggingRequest") is True
        self._editor.respond(request, CAPABILITIES)
        self._phase = "waiting"
        self._later(self._invite())

    async def _invite(self) -> None:
        await asyncio.sleep(_PATIENCE)
        if self._phase == "waiting":
            self._get_ready()

    def _get_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            self._editor.event("initialized", {})

    async def _launch(self, request: Request) -> None:
        raise RequestFailed(
            "not-supported",
            'Remora attaches to programs that run already: use "request": "attach". A program can be started '
            "with: python -m remora --wait SCRIPT",
        )

    async def _attach(self, request: Request) -> None:
        if self._phase != "waiting":
            raise RequestFailed("bad-request", "One attach was made already.")
        self._phase = "attaching"
        self._later(self._attach_and_answer(request))

    async def _attach_and_answer(self, request: Request) -> None:
        try:
            await self._reach_server(request)
        except (ClientError, RequestFailed) as error:
            if self._link is not None:
                self._link.rpc.on_end = lambda: None
                await self._link.close()
                self._link = None
            await self._children.close()
            self._phase = "waiting"
            code = error.code
            self._editor.fail(request, RequestFailed(code, as_keys(_visible_lines(str(error)))))
            return
        self._phase = "attached"
        self._get_ready()
        self._editor.respond(request)
        self._pass_backlog()
        for held in self._early.requests:
            self._forward_held(held)

    async def _reach_server(self, request: Request) -> None:
        wishes = self._wishes.with_arguments(request.arguments)
        self._link, process, sources = await reach(wishes)
        rpc = self._link.rpc
        loop = asyncio.get_running_loop()
        # Later, as the answers: so that all is passed on in the order in which it came.
        rpc.on_event = lambda name, body: loop.call_soon(self._take_event, name, body)
        rpc.on_end = lambda: loop.call_soon(self._server_gone)
        if self._renderers is not None:
            self._rendering = Rendering(self._link, self._renderers, self._say)
        self._paths = Paths(wishes.mappings, sources, self._say)
        self._children.follow(self._link, wishes, process)
        rpc.on_request = self._children.asked
        capabilities = await rpc.request("initialize", self._client, _SECONDS)
        changed = changed_capabilities(CAPABILITIES, capabilities)
        if changed:
            self._editor.event("capabilities", {"capabilities": changed})
        if not self._link.is_remora:
            name = foreign_name(rpc.head) or "some debug adapter"
            self._say(f"{self._link.address} is {name}: {NO_AUTHENTICATION}.")
        if sources.cut:
            self._say("Not all source folders could be looked through in time.")
        attaching = asyncio.ensure_future(rpc.request("attach", {"justMyCode": True, **wishes.forwarded}))
        ready = asyncio.ensure_future(self._server_ready.wait())
        try:
            done, _ = await asyncio.wait(
                (attaching, ready), timeout=_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                raise ClientError(f"{self._link.address} did not get ready in {_SECONDS:g} s.")
            if attaching.done():
                attaching.result()  # raises when it was refused
                async with asyncio.timeout(_SECONDS):
                    await ready
            else:
                self._later(self._watch_attach(attaching))
        except BaseException as error:
            attaching.cancel()  # nobody waits for the answer any more
            if isinstance(error, TimeoutError):
                raise ClientError(f"{self._link.address} did not get ready in {_SECONDS:g} s.") from None
            raise
        finally:
            ready.cancel()
        await self._children.ready()
        remora = capabilities.get("remora")
        requests = remora.get("requests") if isinstance(remora, dict) else None
        if isinstance(requests, list) and "remora/ping" in requests:
            self._later(self._keep_alive(self._link))

    async def _watch_attach(self, attaching: asyncio.Future[dict[str, Any]]) -> None:
        """Some servers answer an attach only after the configuration."""
        try:
            await attaching
        except (ClientError, RequestFailed) as error:
            self._say(_visible_lines(str(error)), "important")

    async def _keep_alive(self, link: Link) -> None:
        while link.rpc.end is None:
            with contextlib.suppress(NoAnswer):
                try:
                    await link.rpc.request("remora/ping", {}, _PING_SECONDS)
                except (Gone, RequestFailed):
                    return
            await asyncio.sleep(_PING_SECONDS)

    # -- requests and answers ---------------------------------------------------------------------

    def _forward(self, request: Request) -> None:
        unable = self._why_unset(request)
        if unable:
            self._editor.respond(request, _unset(request, unable))
        else:
            self._send(request, self._answered)

    def _forward_held(self, request: Request) -> None:
        """The editor has had an answer to this long ago: what comes of it is told by events."""
        unable = self._why_unset(request)
        if unable:
            self._tell_held(request, records(_unset(request, unable), "breakpoints"))
            return
        with contextlib.suppress(RequestFailed):  # the connection is lost, which is told by itself
            self._send(request, self._held_answered)
            self._early.unanswered.add(request.seq)

    def _why_unset(self, request: Request) -> str:
        assert self._link is not None
        if request.command not in BREAKPOINT_REQUESTS:
            return ""
        return _SNAPSHOT if self._link.is_snapshot else _OBSERVER if self._link.options.observe else ""

    def _send(self, request: Request, answered: Callable[[Request, asyncio.Future[Response]], None]) -> None:
        assert self._link is not None
        assert self._paths is not None
        arguments = request.arguments
        if isinstance(arguments.get("source"), dict):
            arguments = {**arguments, "source": self._paths.to_server(arguments["source"])}
        try:
            seq, future = self._link.rpc.send(request.command, arguments)
        except Gone as error:
            raise RequestFailed("failed", error.text) from None
        self._sent[request.seq] = seq
        future.add_done_callback(lambda done: answered(request, done))

    def _answered(self, request: Request, future: asyncio.Future[Response]) -> None:
        self._sent.pop(request.seq, None)
        if future.cancelled() or self._phase == "over":
            return
        error = future.exception()
        if error is not None:
            self._editor.fail(request, RequestFailed("failed", str(error)))
            return
        response = future.result()
        if not response.success:
            self._editor.fail(request, self._refusal(response))
            return
        self._translate(request, response.body)
        rows = self._rendering.rows(request, response.body) if self._rendering is not None else []
        if rows:
            self._later(self._render_and_answer(request, response.body, rows))
        else:
            self._editor.respond(request, response.body)

    async def _render_and_answer(self, request: Request, body: Any, rows: list[dict[str, Any]]) -> None:
        assert self._rendering is not None
        await self._rendering.render(request, rows)
        self._editor.respond(request, body)

    def _held_answered(self, request: Request, future: asyncio.Future[Response]) -> None:
        self._sent.pop(request.seq, None)
        self._early.unanswered.discard(request.seq)
        if not future.cancelled() and future.exception() is None and self._phase != "over":
            response = future.result()
            if response.success:
                answers = records(response.body if isinstance(response.body, dict) else {}, "breakpoints")
                self._early.learn(request, answers)
                self._translate(request, response.body)
                self._tell_held(request, answers)
            else:
                self._say(str(self._refusal(response)), "important")
        self._pass_backlog()

    def _tell_held(self, request: Request, breakpoints: list[dict[str, Any]]) -> None:
        for number, each in zip(self._early.given.get(request.seq, []), breakpoints, strict=False):
            self._editor.event("breakpoint", {"reason": "changed", "breakpoint": {**each, "id": number}})

    def _refusal(self, response: Response) -> RequestFailed:
        assert self._link is not None
        return in_a_line(self._link, RequestFailed.from_body(response.message, response.body))

    def _translate(self, request: Request, body: Any) -> None:
        assert self._paths is not None
        asked = request.arguments.get("source")
        if request.command in BREAKPOINT_REQUESTS and isinstance(body, dict):
            for each in records(body, "breakpoints"):
                self._early.renumber(each)
                if isinstance(asked, dict):
                    self._name_as_asked(each, asked)
        if request.command != "setBreakpoints":
            change_response_sources(request.command, body, self._paths.to_editor)

    def _name_as_asked(self, breakpoint_: dict[str, Any], asked: dict[str, Any]) -> None:
        """A breakpoint is in the file that the editor shows, whatever the server calls it."""
        assert self._paths is not None
        found = breakpoint_.get("source")
        if (
            isinstance(found, dict)
            and isinstance(asked.get("path"), str)
            and not asked.get("sourceReference")
        ):
            self._paths.learn(found, asked["path"])
        breakpoint_["source"] = {key: asked[key] for key in _NAMING if key in asked}
        if isinstance(breakpoint_.get("id"), int):
            self._sources[breakpoint_["id"]] = breakpoint_["source"]

    async def _cancel(self, request: Request) -> None:
        number = request.arguments.get("requestId")
        if self._link is not None and isinstance(number, int) and number in self._sent:
            with contextlib.suppress(Gone):
                self._link.rpc.send("cancel", {"requestId": self._sent[number]})
        self._editor.respond(request)

    # -- events -----------------------------------------------------------------------------------

    def _take_event(self, name: str, body: dict[str, Any]) -> None:
        if name == "initialized":
            self._server_ready.set()
        elif name == "debugpyAttach":
            self._children.waits(body)
        elif self._phase == "attached" and not self._early.unanswered:
            self._pass_event(name, body)
        elif self._phase in ("attaching", "attached"):
            self._backlog.append((name, body))

    def _pass_backlog(self) -> None:
        """What came while the editor could not understand it yet, in the order in which it came."""
        if self._phase == "attached" and not self._early.unanswered:
            backlog, self._backlog = self._backlog, []
            for name, body in backlog:
                self._pass_event(name, body)

    def _pass_event(self, name: str, body: dict[str, Any]) -> None:
        assert self._paths is not None
        if name not in _EVENTS or (name == "output" and body.get("category") == "telemetry"):
            return
        if name == "stopped":
            self._early.renumber_hits(body)
        change_event_sources(name, body, self._paths.to_editor)
        if name == "breakpoint" and isinstance(body.get("breakpoint"), dict):
            changed = body["breakpoint"]
            self._early.renumber(changed)
            if changed.get("id") in self._sources:
                changed["source"] = self._sources[changed["id"]]
        if name == "terminated":
            self._over()
        else:
            self._editor.event(name, body)

    def _server_gone(self) -> None:
        if self._phase == "attached" and self._link is not None:
            if self._link.rpc.end is not None:
                self._say(_visible_lines(str(self._link.rpc.end)), "important")
            self._over()

    def _over(self) -> None:
        if self._phase != "over":
            self._phase = "over"
            self._editor.event("terminated", {})

    def _say(self, text: str, category: str = "console") -> None:
        if self._phase != "new":
            self._editor.event("output", {"category": category, "output": f"remora: {text}\n"})

    # -- the end ----------------------------------------------------------------------------------

    async def _disconnect(self, request: Request) -> None:
        was_attached, self._phase = self._phase == "attached", "over"
        if was_attached and self._link is not None:
            with contextlib.suppress(ClientError, RequestFailed):
                await self._link.rpc.request("disconnect", request.arguments, _GOODBYE_SECONDS)
        await self._leave()
        self._editor.respond(request)
        self._editor.end()
        self._has_left = True

    async def _leave(self) -> None:
        """Let go of the program: it runs on, and nothing of ours stays in it."""
        was_attached, self._phase = self._phase in ("attached", "attaching"), "over"
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._children.close()
        link, self._link = self._link, None
        if link is None:
            return
        if was_attached:
            goodbye = {"restart": False, "terminateDebuggee": False}
            with contextlib.suppress(ClientError, RequestFailed):
                await link.rpc.request("disconnect", goodbye, _GOODBYE_SECONDS)
        await link.close()

    def _later(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _unset(request: Request, why: str) -> dict[str, Any]:
    """Nothing can be set; editors ask all the same, and need an answer that is no error for each file."""
    if request.command == "setExceptionBreakpoints":
        return {}
    refusal = {"verified": False, "reason": "failed", "message": why}
    return {
        "breakpoints": [
            {**refusal, **({"line": each["line"]} if isinstance(each.get("line"), int) else {})}
            for each in records(request.arguments, "breakpoints")
        ]
    }


def _visible_lines(text: str) -> str:
    """Safe text that keeps its lines."""
    return "\n".join(map(visible, text.splitlines()))
