"""`remora ls`: who is there; and clear words when it cannot say."""

from __future__ import annotations

import getpass
import json
import socket

from tests.e2e.game import Game
from tests.support.command import Remora
from tests.support.interpreters import Interpreter


def test_one_row_says_who_is_there(interpreter: Interpreter, remora: Remora) -> None:
    with Game(interpreter) as game:
        game.say_name()
        ran = remora("ls", game.qualifier)
        assert (ran.code, ran.errors) == (0, "")
        (row,) = [line for line in ran.output.splitlines() if str(game.pid) in line.split()]
        version = ".".join(map(str, interpreter.version[:2]))
        for word in ("guessing_game.py", version, getpass.getuser(), "running"):
            assert word in row

        (process,) = json.loads(remora("ls", game.qualifier, "--json").output)
        assert process["pid"] == game.pid
        assert process["name"] == "guessing_game.py"
        assert process["user"] == getpass.getuser()
        assert process["version"] == ".".join(map(str, interpreter.version))
        assert process["implementation"].lower() == interpreter.implementation
        assert process["state"] == "running"
        assert process["attachedBy"] is None
        assert "my_secret" not in json.dumps(process)
        game.play()


def test_a_wrong_secret_is_one_sentence(interpreter: Interpreter, remora: Remora) -> None:
    with Game(interpreter) as game:
        game.say_name()
        host, port = game.address
        ran = remora("ls", f"tcp://guessed@{host}:{port}")
        assert ran.code == 4
        assert ran.output == ""
        assert "secret" in ran.errors
        assert "Traceback" not in ran.errors
        assert "guessed" not in ran.errors
        game.play()


def test_a_closed_port_says_why_and_what_to_look_at(remora: Remora) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets this port meanwhile
        port = bound.getsockname()[1]
        ran = remora("ls", f"tcp://my_secret@127.0.0.1:{port}")
    assert ran.code == 3
    assert ran.output == ""
    assert "refused" in ran.errors
    assert "firewall" in ran.errors
    assert "my_secret" not in ran.errors


def test_a_qualifier_that_makes_no_sense_is_wrong_usage(remora: Remora) -> None:
    ran = remora("ls", "tcp://hushhush@127.0.0.1:port")
    assert ran.code == 2
    assert "port" in ran.errors
    assert "hushhush" not in ran.errors
