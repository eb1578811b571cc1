"""The demo's game is the examples' one, and the demo leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

from remora_client._learning._demo_game import GAME, with_remora
from tests.support.command import REMORA, Remora, client_environment
from tests.support.interpreters import ROOT


def test_it_is_the_game_of_the_examples() -> None:
    assert (ROOT / "examples" / "guessing_game.py").read_text(encoding="utf-8") == GAME
    assert with_remora().endswith(GAME.partition("\n")[2])
    compile(with_remora(), "guessing_game.py", "exec")


def test_it_shows_everything_and_leaves_nothing_behind(tmp_path: Path) -> None:
    scratch, configuration = tmp_path / "scratch", tmp_path / "configuration"
    scratch.mkdir()
    environment = client_environment(configuration, {"TMPDIR": str(scratch)})
    start = time.monotonic()
    ran = subprocess.run(
        [REMORA, "demo"],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran
    assert ran.stderr == ""
    assert time.monotonic() - start < 20
    for pattern in (
        r"^\d+ +guessing_game\.py",
        r"Attached to guessing_game\.py",
        r"TLS",
        r"● Breakpoint 1 at guessing_game\.py:\d+",
        r"→ +\d+ │ +guesses_taken \+= 1",
        r"^7$",
        r"guess +=\s+7",
        r"#0  <module>  guessing_game\.py:\d+",
        r"→ Step ",
        r"Detached; the program runs on",
        r"Your guess is too low",
        r"Your guess is too high",
    ):
        assert re.search(pattern, ran.stdout, re.MULTILINE), (pattern, ran.stdout)
    assert list(scratch.iterdir()) == []
    pid = re.search(r"^(\d+) +guessing_game", ran.stdout, re.MULTILINE)
    assert pid is not None
    assert not _runs(int(pid[1]))


def test_a_person_takes_over_and_wins(remora: Remora) -> None:
    with remora.terminal("demo") as terminal:
        terminal.wait("Your turn", 40)
        terminal.wait("remora❯ *$")
        terminal.enter("print number")
        terminal.wait("^15$")
        terminal.enter("clear 1")
        terminal.wait("Breakpoint 1 removed")
        terminal.enter("continue")
        terminal.wait("out ┊ Your guess is too low")
        terminal.enter("stdin 15")
        terminal.wait("Good job, Ada!")
        terminal.wait("The program ended")
        assert terminal.returncode() == 0
        assert "Traceback" not in terminal.text


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
