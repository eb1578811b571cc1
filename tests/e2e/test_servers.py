"""Real servers that fork, spawn and reload: a breakpoint set once is hit in whichever worker comes by.

One client follows what comes of the process that it was told of; nothing else is configured.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.command import REMORA, Remora, client_environment
from tests.support.dap import DapClient
from tests.support.ports import free_port
from tests.support.program import clean_environment, markers, runtime_folder, threads_and_sockets

HERE = Path(sys.executable).parent
ENABLE = (
    "import os, remora\nremora.enable_attach('my_secret', ('127.0.0.1', int(os.environ['DEBUG_PORT'])))\n"
)

FLASK = """
from flask import Flask
app = Flask(__name__)
@app.get("/")
def index():
    answer = f"version 1 of {os.getpid()}"
    return answer  # @answer
"""
DJANGO = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path
def index(request):
    answer = f"version 1 of {os.getpid()}"
    return HttpResponse(answer)  # @answer
urlpatterns = [path("", index)]
settings.configure(DEBUG=True, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
if __name__ == "__main__":
    execute_from_command_line(sys.argv)
"""
ASGI = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    answer = f"version 1 of {os.getpid()}"
    await send({"type": "http.response.start", "status": 200, "headers": []})  # @answer
    await send({"type": "http.response.body", "body": answer.encode()})
"""
WSGI = """
def app(environ, start_response):
    answer = f"version 1 of {os.getpid()}"
    start_response("200 OK", [])  # @answer
    return [answer.encode()]
"""
CELERY = """
from celery import Celery
app = Celery("work", broker="filesystem://", backend="file://results")
app.conf.broker_transport_options = {name: "queue" for name in ("data_folder_in", "data_folder_out")}
@app.task
def add(n):
    answer = n + 1
    return answer  # @answer
"""


class Running:
    """A server in a session of its own, so that all that comes of it can be ended with it."""

    def __init__(self, folder: Path, text: str, command: list[str]) -> None:
        self.folder = folder
        self.debug_port, self.port = free_port(), free_port()
        self.file = folder / "app.py"
        self.file.write_text(ENABLE + text)
        environment = clean_environment(
            {"DEBUG_PORT": str(self.debug_port), "PYTHONUNBUFFERED": "1", "HOME": str(folder)}
        )
        self._log = (folder / "log").open("w")
        self.process = subprocess.Popen(
            [part.replace("PORT", str(self.port)) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.debug_port

    @property
    def qualifier(self) -> str:
        return f"tcp://my_secret@127.0.0.1:{self.debug_port}"

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def rows(self) -> list[dict[str, Any]]:
        try:
            with DapClient.connect(self.address, "my_secret") as client:
                found: list[dict[str, Any]] = client.request("remora/processes")["processes"]
                return found
        except (OSError, ConnectionError):
            return []

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.expect(lambda: rows if len(rows := self.rows()) == count else None)
        return found

    def expect(self, look: Callable[[], Any], seconds: float = 40) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < deadline, self.log()
            assert self.process.poll() is None, self.log()
            time.sleep(0.05)
        return found

    def ask(self) -> None:
        """Have a worker come by, and do not wait for what it says: it may be held."""

        def ask() -> None:
            for _ in range(100):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=60).read()
                    return
                except OSError:
                    time.sleep(0.1)

        threading.Thread(target=ask, daemon=True).start()

    def edit(self) -> None:
        """What makes a reloader reload."""
        later = time.time() + 5
        self.file.write_text(self.file.read_text().replace("version 1", "version 2"))
        os.utime(self.file, (later, later))

    def end(self) -> None:
        """Ends it as its owner would, and looks whether anything of it is left."""
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait(10)
            self._log.close()


@contextmanager
def serving(folder: Path, text: str, *command: str) -> Iterator[Running]:
    server = Running(folder, text, list(command))
    try:
        yield server
    except BaseException:
        print(server.log())
        raise
    finally:
        seen = [row["pid"] for row in server.rows()]
        server.end()
    # Nothing of it is left: no process, nobody at the port. And what those who were killed had in the
    # registry goes when somebody looks at this machine, or takes the port.
    assert not [pid for pid in seen if os.path.exists(f"/proc/{pid}") and pid != server.process.pid]
    assert not server.rows()
    for look in ([REMORA, "ls"], [sys.executable, "-c", f"{ENABLE}remora.disable_attach()"]):
        environment = client_environment(folder, {"DEBUG_PORT": str(server.debug_port)})
        subprocess.run(look, env=environment, capture_output=True, timeout=30, check=True)
    assert not {name for pid in seen for name in names_in_registry(pid)}


def names_in_registry(pid: int) -> list[str]:
    """What a process has there: its door, and the mark of a port that it owns."""
    return [name for name in os.listdir(Path(runtime_folder(), "remora")) if str(pid) in name.split(".")]


def hits_follow(server: Running, remora: Remora, pid: int | None = None, *, reload: bool = False) -> None:
    """A client that follows this process stops in whichever worker answers; after a reload as well.

    With no process it is attached to all.
    """
    line = markers(server.file)["answer"]
    commands = [f"break app.py:{line}", "continue", "print os.getpid()", "print answer"]
    more = ["continue", "print answer"] if reload else []
    chosen = ("--all",) if pid is None else ("--follow", "attach", "--pid", str(pid))
    options = (*chosen, "--timeout", "90")
    with remora.start_exec(server.qualifier, *commands, *more, options=options) as running:
        running.result(commands[0])
        server.ask()
        assert running.stop("continue")["frame"]["line"] == line
        worker = running.result("print os.getpid()")["value"]
        assert running.result("print answer")["value"] == repr(f"version 1 of {worker}")
        if reload:
            server.edit()
            while "event" not in (said := running.line(60)) or said["event"] != "remora/joined":
                pass
            server.ask()
            assert running.stop("continue", 60)["frame"]["line"] == line
            assert "version 2" in running.result("print answer")["value"]
        assert running.returncode() == 0
    leaves_no_more(server, remora)


def leaves_no_more(server: Running, remora: Remora) -> None:
    """One more client, and each process has the threads and sockets that it had before."""
    before = {row["pid"]: threads_and_sockets(row["pid"]) for row in server.rows()}
    ran = remora.exec(server.qualifier, "threads", options=("--all",))
    assert ran.code == 0, ran
    for pid, (threads, sockets) in before.items():
        server.expect(partial(has_at_most, pid, threads, sockets))


def has_at_most(pid: int, threads: int, sockets: int) -> bool:
    now = threads_and_sockets(pid)
    return now[0] <= threads and now[1] <= sockets


def parent_of(rows: list[dict[str, Any]]) -> int:
    """The process that the others come of."""
    (pid,) = {row["pid"] for row in rows} & {row["ppid"] for row in rows}
    return int(pid)


def test_gunicorn_with_a_preloaded_application_forks_workers_that_are_there(
    tmp_path: Path, remora: Remora
) -> None:
    command = [str(HERE / "gunicorn"), "--preload", "-w", "3", "-b", "127.0.0.1:PORT", "app:app"]
    with serving(tmp_path, WSGI, *command) as server:
        rows = server.wait_for(4)
        assert parent_of(rows) == server.process.pid
        hits_follow(server, remora, server.process.pid)
        os.kill(next(row["pid"] for row in rows if row["pid"] != server.process.pid), signal.SIGKILL)
        server.expect(lambda: {row["pid"] for row in server.rows()} != {row["pid"] for row in rows})
        server.wait_for(4)


def test_gunicorn_whose_workers_import_the_application_each(tmp_path: Path, remora: Remora) -> None:
    command = [str(HERE / "gunicorn"), "-w", "2", "-b", "127.0.0.1:PORT", "app:app"]
    with serving(tmp_path, WSGI, *command) as server:
        server.wait_for(2)
        hits_follow(server, remora)


def test_uvicorns_workers(tmp_path: Path, remora: Remora) -> None:
    command = [str(HERE / "uvicorn"), "--workers", "2", "--port", "PORT", "app:app"]
    with serving(tmp_path, ASGI, *command) as server:
        server.wait_for(2)
        hits_follow(server, remora)


def test_uvicorn_reloads(tmp_path: Path, remora: Remora) -> None:
    command = [str(HERE / "uvicorn"), "--reload", "--port", "PORT", "app:app"]
    with serving(tmp_path, ASGI, *command) as server:
        (row,) = server.wait_for(1)
        hits_follow(server, remora, row["pid"], reload=True)


def test_flask_reloads(tmp_path: Path, remora: Remora) -> None:
    command = [str(HERE / "flask"), "--app", "app", "--debug", "run", "--port", "PORT"]
    with serving(tmp_path, FLASK, *command) as server:
        rows = server.expect(lambda: [row for row in server.rows() if row["ppid"] == server.process.pid])
        hits_follow(server, remora, rows[-1]["pid"], reload=True)


def test_django_reloads(tmp_path: Path, remora: Remora) -> None:
    with serving(tmp_path, DJANGO, sys.executable, "app.py", "runserver", "127.0.0.1:PORT") as server:
        rows = server.wait_for(2)
        hits_follow(server, remora, parent_of(rows), reload=True)


def test_celerys_pool_is_forked_and_there(tmp_path: Path, remora: Remora) -> None:
    for name in ("queue", "results"):
        (tmp_path / name).mkdir()
    command = [str(HERE / "celery"), "-A", "app", "worker", "--concurrency", "2", "--without-gossip"]
    with serving(tmp_path, CELERY, *command, "--without-mingle") as server:
        rows = server.wait_for(3)
        parent = parent_of(rows)
        line = markers(server.file)["answer"]
        with remora.start_exec(
            server.qualifier, f"break app.py:{line}", "continue", "print os.getpid()",
            options=("--follow", "attach", "--pid", str(parent), "--timeout", "90"),
        ) as running:  # fmt: skip
            running.result(f"break app.py:{line}")
            environment = clean_environment({"DEBUG_PORT": str(server.debug_port)})
            call = [str(HERE / "celery"), "-A", "app", "call", "app.add", "--args", "[1]"]
            subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=True)
            assert running.stop("continue", 60)["frame"]["line"] == line
            worker = int(running.result("print os.getpid()")["value"])
            assert worker in [row["pid"] for row in rows] and worker != parent
            assert running.returncode() == 0
