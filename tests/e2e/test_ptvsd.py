"""The real ptvsd 2.2, 3.0 and 3.2 on the Pythons of their days, through the real command."""

from __future__ import annotations

import shutil

import pytest

from remora_client import attach
from tests.support.command import Remora
from tests.support.ptvsd import SERVERS, OldGame, OldServer


@pytest.fixture(params=SERVERS, ids=str)
def server(request: pytest.FixtureRequest) -> OldServer:
    """Runs the test under every old ptvsd."""
    found: OldServer = request.param
    return found


def test_the_guessing_game(server: OldServer, remora: Remora) -> None:
    with OldGame(server) as game:
        shutil.copy(game.path, remora.folder)
        call, judge = game.line("call"), game.line("judge")

        listed = remora("ls", "--json", game.qualifier)
        assert listed.code == 0, listed
        assert f'"pid": {game.pid}' in listed.output
        assert "in clear" in listed.errors
        wrong = remora("attach", game.qualifier.replace("my_secret", "wrong"))
        assert wrong.code == 4
        assert "rejects the secret" in wrong.errors
        game.check_well()

        for number in (10, 11, 12):
            place = f"break guess.py:{call}"
            commands = (
                place,
                "continue",
                "print guess + 1",
                "locals",
                "step",
                "set guess = 50",
                "where",
                "detach",
            )
            with remora.start_exec(game.qualifier, *commands) as run:
                made = run.result(place)
                assert made["verified"]
                assert (made["path"], made["line"]) == (str(game.path), call)
                game.stdin_line(str(number))
                stop = run.stop("continue")
                assert stop["reason"] == "breakpoint"
                assert stop["frame"] == {"name": "play", "path": str(game.path), "line": call}
                assert run.result("print guess + 1") == {"value": str(number + 1), "type": "int"}
                names = {each["name"]: each["value"] for each in run.result("locals")}
                assert names["guess"] == str(number)
                assert names["number"] == "42"
                assert "sys" not in names
                assert run.stop("step")["frame"] == {"name": "judge", "path": str(game.path), "line": judge}
                assert run.result("set guess = 50")["value"] == "50"
                assert [(each["name"], each["line"]) for each in run.result("where")] == [
                    ("judge", judge),
                    ("play", call),
                    ("<module>", game.line_with("play(42)")),
                ]
                run.answer("detach")
                assert run.returncode() == 0
            game.wait_line(rf"VERDICT {number} too high")  # judge() went by the new value
            game.wait_for_question()
            game.check_well()
        game.win()


def test_killing_the_client_at_a_stop_lets_the_game_run_on(server: OldServer, remora: Remora) -> None:
    with OldGame(server) as game:
        shutil.copy(game.path, remora.folder)
        place = f"break guess.py:{game.line('judge')}"
        for _ in range(2):  # the next client attaches, and dies as well
            with remora.start_exec(game.qualifier, place, "continue", "set guess = 50", "wait 60") as run:
                assert run.result(place)["verified"]
                game.stdin_line("30")
                run.stop("continue")
                run.result("set guess = 50")
                run.kill()
                run.returncode()
                game.wait_line("VERDICT 30 too high")
                game.wait_for_question()
            game.check_well()
        last = remora.exec(game.qualifier, f"break guess.py:{game.line('judge')}", "threads")
        assert last.code == 0, last
        game.check_well()
        game.win()


def test_the_program_may_end_while_attached(server: OldServer, remora: Remora) -> None:
    with OldGame(server) as game:
        with remora.start_exec(
            game.qualifier, "print 1" if server.number > 7 else "breakpoints", "wait 30"
        ) as run:
            run.line()
            game.stdin_line("42")
            run.line()
            assert run.returncode() in (0, 7)
        assert game.returncode() == 0


def test_from_python(server: OldServer) -> None:
    with OldGame(server) as game:
        with attach(game.qualifier, source=[str(game.path.parent)]) as session:
            session.break_at(f"guess.py:{game.line('call')}", condition="guess > 3")
            game.stdin_line("10")
            stop = session.wait_for_stop(20)
            assert stop is not None
            assert stop.frame is not None
            assert stop.frame.name == "play"
            assert session.evaluate("guess").value == "10"
            entered = session.step_in()
            assert entered is not None
            assert entered.frame is not None
            assert (entered.frame.name, entered.frame.line) == ("judge", game.line("judge"))
            assert [frame.name for frame in session.stack()] == ["judge", "play", "<module>"]
        game.check_well()
