"""The first look in the README is what really happens: its commands are run, and its output compared."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.e2e.game import SECRET, Game
from tests.support.command import Remora
from tests.support.interpreters import NEWEST, ROOT
from tests.support.terminal import Terminal

PROMPT = "remora❯"
SHOWN = f"tcp://{SECRET}@127.0.0.1:5678"


def transcripts() -> list[str]:
    """The console blocks of the first look, in order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## A first look\n")[2].partition("\n## ")[0]
    return re.findall(r"^```console\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def plain(text: str, game: Game) -> str:
    """Without what differs from run to run and from person to person."""
    for pattern, instead in (
        (r"tcp://127\.0\.0\.1:\d+", "ADDRESS"),
        (r"\b\d+\.\d+\.\d+\S*", "VERSION"),
        (rf"\bpid \d+|^{game.pid}\b|^17643\b", "PID"),
        (re.escape(str(game.directory)) + r"|/home/ada/games", "FOLDER"),
        (r"\b(ada|root|\w+)(?= +running$)", "USER"),
        (r"\s+", " "),
    ):
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text.strip()


def expect(terminal: Terminal, game: Game, lines: list[str]) -> None:
    """Waits until the lines stand on the screen, one below the other."""
    wanted = plain("\n".join(lines), game)
    if wanted:
        terminal.wait_until(lambda: wanted in plain(terminal.text, game), wanted)


def test_the_first_look_is_true(remora: Remora) -> None:
    setting_up, stopped, scripted = transcripts()
    with Game(NEWEST) as game:
        game.copy_to(remora.folder)
        game.say_name()
        assert game.after_guess == 14

        listing, attaching = setting_up.split("$ remora attach ")
        command, *rows = listing.splitlines()
        ran = remora(*shlex.split(command.removeprefix("$ remora ").replace(SHOWN, game.qualifier)))
        assert plain(ran.output, game) == plain("\n".join(rows), game)

        qualifier, *session = attaching.splitlines()
        assert qualifier == SHOWN
        with remora.terminal("attach", game.qualifier) as terminal:
            play_back(terminal, game, session)
            game.stdin_line("7")
            play_back(terminal, game, stopped.splitlines())
            assert terminal.returncode() == 0
        game.wait_line("too low")
        game.wait_for_question()

        words = shlex.split(scripted.strip().removeprefix("$ remora "))
        assert words[:2] == ["exec", SHOWN]
        assert words[2::2] == ["-c"] * 3
        with remora.start_exec(game.qualifier, *words[3::2]) as run:
            run.result("break guessing_game.py:14")
            game.stdin_line("15")
            run.stop("continue")
            assert run.result("print name") == {"value": "'Ada'", "type": "str"}
        game.wait_line("Good job")


def play_back(terminal: Terminal, game: Game, lines: list[str]) -> None:
    """Types what follows a prompt, and expects what else there is."""
    waiting: list[str] = []
    for line in lines:
        if line.startswith(PROMPT):
            expect(terminal, game, waiting)
            terminal.wait(f"^{PROMPT}$")
            terminal.enter(line.removeprefix(PROMPT).strip())
            waiting = []
        else:
            waiting.append(line)
    expect(terminal, game, waiting)


def test_the_game_in_the_readme_is_the_one_in_the_examples() -> None:
    first, *_ = Path(ROOT / "examples" / "guessing_game.py").read_text(encoding="utf-8").splitlines()
    assert first.startswith("#"), "the line that the tests replace, and the README"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    line = re.search(r"this one:\n\n```text\n(.*)\n```\n", text)
    assert line is not None
    assert re.fullmatch(rf'import remora; remora\.enable_attach\(secret="{SECRET}", .*\)', line[1])
