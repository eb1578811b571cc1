"""Starts `remora dap` as an editor does, and speaks DAP with it over its standard input and output."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from tests.support.command import REMORA, Remora, client_environment
from tests.support.dap import DapClient


class Editor(DapClient):
    """The client that the bridge serves."""

    def disconnect(self, **arguments: Any) -> None:
        """Leaves as editors do: the bridge has them hang up first, and gives them two seconds for that."""
        self.request("disconnect", arguments)
        self.close()


class Bridge:
    """A bridge and the editor's end of it: `with Bridge(remora, "--secret-file", f) as editor`.

    It has to be silent on standard error, but for what matches `says`.
    """

    def __init__(
        self, remora: Remora, *arguments: str, env: Mapping[str, str] | None = None, says: str = ""
    ) -> None:
        self._says = says
        ours, theirs = socket.socketpair()
        self.editor = Editor(ours)
        self.process = subprocess.Popen(
            [REMORA, "dap", *arguments],
            cwd=remora.folder,
            env=client_environment(remora.configuration, env),
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()

    def returncode(self, timeout: float = 10) -> int:
        return self.process.wait(timeout)

    def __enter__(self) -> Bridge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.editor.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            if error is None:
                raise AssertionError("the bridge stayed after its editor had left") from None
        finally:
            assert self.process.stderr
            errors = self.process.stderr.read()
            self.process.stderr.close()
        if error is None:
            assert re.fullmatch(self._says, errors), errors


def reverse_request(editor: DapClient, timeout: float = 20) -> dict[str, Any]:
    """What the bridge asks of the editor, answered as an editor does."""
    deadline = time.monotonic() + timeout
    while True:
        found = [each for each in editor.messages if each["type"] == "request"]
        if found:
            (asked,) = found
            editor.messages.remove(asked)
            answer = {"request_seq": asked["seq"], "success": True, "command": asked["command"]}
            editor.send({"seq": 900, "type": "response", **answer})
            return asked
        assert time.monotonic() < deadline, "the editor is not asked for anything"
        editor.threads()  # reads what has come
