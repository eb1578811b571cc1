"""What a client leaves in the memory of the program after it has gone: nothing."""

from __future__ import annotations

from tests.support.dap import DapClient
from tests.support.interpreters import Interpreter
from tests.support.program import Program

ROUNDS = 4
#: Counts what a condition is made of, and with it all that holds on to it.
COUNT = """(__import__("gc").collect(), __import__("gc").collect(), sum(
    type(one).__name__ == "Expression" for one in __import__("gc").get_objects()))[2]""".replace("\n", "")


def test_conditions_do_not_outlive_their_client(interpreter: Interpreter) -> None:
    counts = []
    with Program(interpreter, "function_loop.py", enable={}) as program:
        program.wait_line("started")
        line = {"line": program.line("doubled"), "condition": "value >= 0"}
        for _ in range(ROUNDS):
            with DapClient.connect(program.address).attach() as client:
                client.set_breakpoints(program.path, [line])
                top = client.top(client.wait_stopped(reason="breakpoint")["threadId"])
                counts.append(int(client.evaluate(COUNT, top["id"])["result"]))
                client.disconnect()
    assert counts[0] > 0
    assert counts[1:] == [counts[1]] * (ROUNDS - 1), counts
