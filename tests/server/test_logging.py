"""The program's log records as events, where the client asks for them."""

from __future__ import annotations

import pytest

from tests.support.dap import DapClient, Refused
from tests.support.interpreters import Interpreter
from tests.support.program import Program

LOGGING = """\
#
import logging, sys
def work(number):
    logging.getLogger("app.db").warning("slow query %d", number)  # @slow
    logging.getLogger("app").info("not at this level")
    logging.getLogger("app").error("bad %s", "format", "here")
before = logging.Logger.callHandlers
for word in iter(lambda: sys.stdin.readline().strip(), "end"):
    if word == "config":
        logging.basicConfig(stream=sys.stdout, format="OWN %(message)s", level=logging.INFO)
    work(7)
    print("SAID", word, logging.Logger.callHandlers is before, flush=True)
"""


def test_records_are_events_with_logger_level_and_place(interpreter: Interpreter) -> None:
    with Program(interpreter, LOGGING, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach()
        client.request("remora/logging", level="warning")
        program.stdin_line("config")  # still possible: there is no handler of ours
        body = client.expect_event("output", category="console")
        assert body["output"] == "WARNING app.db: slow query 7\n"
        assert body["line"] == program.line("slow")
        assert body["source"]["path"] == str(program.path)
        log = body["remora"]["log"]
        assert (log["logger"], log["level"], log["function"]) == ("app.db", "WARNING", "work")
        program.wait_line("OWN slow query 7")
        program.wait_line("OWN not at this level")
        program.wait_line("SAID config False")
        client.request("remora/logging")
        client.drain()
        program.stdin_line("again")
        program.wait_line("SAID again True")
        assert not [each for each in client.drain() if each["body"].get("category") == "console"]
        client.request("remora/logging", level="10")
        program.stdin_line("more")
        client.expect_event("output", output="INFO app: not at this level\n")
        client.disconnect()
        program.stdin_line("alone")
        program.wait_line("SAID alone True")


def test_what_cannot_be_shown_is_refused(interpreter: Interpreter) -> None:
    with Program(interpreter, LOGGING, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach()
        with pytest.raises(Refused, match=r"no level 'loud'; there are NOTSET, DEBUG, INFO"):
            client.request("remora/logging", level="loud")
    source = "#\nimport sys\nsys.modules.pop('logging', None)\nprint('GONE', flush=True)\ninput()\n"
    with Program(interpreter, source, enable={}) as program, DapClient.connect(program.address) as client:
        program.wait_line("GONE")
        client.attach()
        with pytest.raises(Refused, match="has not imported logging"):
            client.request("remora/logging", level="info")
