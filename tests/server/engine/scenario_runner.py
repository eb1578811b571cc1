"""Runs under the Python to be tested: the functions in `scenarios/`, each with a fresh controller.

    python scenario_runner.py FILE…      one JSON object a line: file, name, failure (null when it went well)

A scenario runs on the main thread and is the program; what operates the debugger is the `script` that it
starts.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import json
import os
import re
import sys
import threading
import traceback
from typing import Any, Callable

from controller import Controller, Operator

FOLDER = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 20.0


class Scene(Controller):
    """A controller with what scenarios need besides: lines by markers, a script, and the end of both."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = os.path.abspath(path)
        for own in (__file__, "controller.py", "threading.py"):
            self.debugger.filters._rules[os.path.join(FOLDER, os.path.basename(own))] = "test"
        self._operator: Operator | None = None
        self._failure: str | None = None
        self.attach()

    def line(self, marker: str, path: str | None = None) -> int:
        """The line that ends in `# @marker`."""
        with open(path or self.path, encoding="utf-8") as file:
            found = [number for number, text in enumerate(file, 1) if re.search(rf"# @{marker}\s*$", text)]
        assert len(found) == 1, f"{marker} marks {len(found)} lines"
        return found[0]

    def break_at(self, *markers: str, path: str | None = None, **options: Any) -> list[Any]:
        """Set these and no other breakpoints in the file."""
        from remora._stopping._breakpoints import SourceBreakpoint

        specs = [SourceBreakpoint(self.line(marker), **options) for marker in markers]
        return list(self.call("set_breakpoints", path or self.path, specs))

    def count_hits(self, *markers: str) -> Callable[[], list[int]]:
        """Set logpoints there; the function returned says how often each was reached."""
        before = len(self.seen) + self.events.qsize()
        self.break_at(*markers, log_message="hit")

        def counts() -> list[int]:
            while not self.events.empty():
                self.seen.append(self.events.get())
            lines = [body["line"] for event, body in self.seen[before:] if event == "output"]
            return [lines.count(self.line(marker)) for marker in markers]

        return counts

    def pending_events(self) -> list[tuple[str, dict[str, Any]]]:
        """Those that nobody has waited for. They stay."""
        found = [self.events.get() for _ in range(self.events.qsize())]
        for each in found:
            self.events.put(each)
        return found

    def where(self, thread: int) -> str:
        """The marker, or else the text, of the line that this thread is held at."""
        frame = self.call("frames", thread)[0]
        with open(frame.filename, encoding="utf-8") as file:
            text = file.read().splitlines()[frame.line - 1]
        marker = re.search(r"# @(\w+)\s*$", text)
        return marker[1] if marker else text.strip()

    def script(self, function: Callable[[], None]) -> None:
        """Operate the debugger beside the scenario. A failure of it ends both."""

        def guarded() -> None:
            try:
                function()
            except BaseException:
                self._failure = traceback.format_exc()
                self.call("detach")

        self._operator = self.operate(guarded)

    def finish(self) -> None:
        """The script must have come to its end."""
        if self._operator is not None:
            assert self._operator.join(PATIENCE), "the script still waits"
        assert self._failure is None, self._failure
        for _ in range(self.events.qsize()):
            self.seen.append(self.events.get())
        failed = [body["output"] for event, body in self.seen if body.get("category") == "important"]
        assert not failed, failed[0]


def left_behind() -> list[str]:
    """What of ours is still in the interpreter after everybody has detached."""
    left = []
    if sys.gettrace() is not None:
        left.append(f"a tracer: {sys.gettrace()}")
    if getattr(threading, "_trace_hook", None) is not None:
        left.append("a tracer for new threads")
    if sys.version_info >= (3, 12):
        monitoring = sys.monitoring
        left += [f"tool id {tool}" for tool in range(6) if monitoring.get_tool(tool) is not None]
        for tool in (3, 4):
            monitoring.use_tool_id(tool, "test")
            if monitoring.get_events(tool):
                left.append(f"events of tool {tool}")
            monitoring.free_tool_id(tool)
    if sys.excepthook is not sys.__excepthook__:
        left.append("an excepthook")
    return left


def load(path: str) -> Any:
    name = f"scenarios_{os.path.splitext(os.path.basename(path))[0]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(path: str, scenario: Callable[[Scene], None]) -> str | None:
    scene = Scene(path)
    try:
        scenario(scene)
        scene.finish()
        scene.end()
        left = left_behind()
        return f"left behind: {', '.join(left)}" if left else None
    except BaseException:
        failure = traceback.format_exc()
        scene.call("detach")
        return f"{failure}\n{scene._failure or ''}"


def main(paths: list[str]) -> None:
    faulthandler.dump_traceback_later(100, exit=True)
    for path in paths:
        module = load(path)
        for name, scenario in list(vars(module).items()):
            if name.startswith("scenario_") and name.endswith(os.environ.get("ONLY", "")):
                skip = getattr(scenario, "skip", None)
                failure = None if skip else run(path, scenario)
                result = {"file": os.path.basename(path), "name": name, "failure": failure, "skip": skip}
                print(json.dumps(result), flush=True)
    os._exit(0)  # a scenario that failed may have left threads that wait


if __name__ == "__main__":
    main(sys.argv[1:])
