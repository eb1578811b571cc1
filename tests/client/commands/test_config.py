"""Settings in files: the person's own, and a project's only after a yes for exactly that content."""

from __future__ import annotations

import re
import stat
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from remora_client._errors import ClientError
from remora_client.commands import Settings, load_config
from remora_client.commands._files import read_commands
from tests.client.commands.conftest import Debugging
from tests.support.interpreters import ROOT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "configuration"
    folder.mkdir()
    monkeypatch.setenv("REMORA_CONFIG_DIR", str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def refuse(folder: str, files: Mapping[str, str]) -> bool:
    raise AssertionError(f"asked about {list(files)}")


def test_the_persons_own(home: Path, project: Path, debugging: Debugging) -> None:
    (home / "settings.toml").write_text(
        'context = 21\nkeys = "vi"\npager = false\n[aliases]\npn = "print number"\n[map]\n"/app" = "here"\n'
    )
    (home / "remorarc").write_text("# mine\ndisplay 1\nbreak x.py:1 ;; break y.py:2\n")
    config = load_config(str(project), pytest.fail, refuse)
    assert config.commands == ["display 1", "break x.py:1", "break y.py:2"]
    config.apply(debugging.ctx)
    assert debugging.run("config context")["value"] == "21"
    assert debugging.ctx.settings.keys == "vi"
    assert debugging.ctx.settings.pager == "off"
    assert debugging.ctx.aliases == {"pn": "print number"}
    assert debugging.session.sources.maps.rows == [("/app", str(home / "here"))]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("context = 0", "1 to 999"),
        ("nothing = 1", "no option nothing"),
        ('keys = "nano"', "emacs, vi"),
        ("context = ", "Invalid"),
        ('[aliases]\nx = ["a"]', "takes texts"),
        ('theme = "no such"', "terminal"),
    ],
)
def test_what_is_wrong_is_said_and_left_out(home: Path, project: Path, text: str, says: str) -> None:
    (home / "settings.toml").write_text(text)
    notes: list[str] = []
    assert load_config(str(project), notes.append).commands == []
    (note,) = notes
    assert says in note
    assert str(home / "settings.toml") in note


def test_a_project_is_asked_about_once(home: Path, project: Path) -> None:
    (project / ".remora.toml").write_text("context = 7\n")
    (project / ".remorarc").write_text("print 'from the project'\n")
    notes: list[str] = []
    config = load_config(str(project), notes.append)  # nobody to ask
    assert (config.options, config.commands) == ([], [])
    assert "not used" in notes[0]
    asked: list[Mapping[str, str]] = []

    def answer(folder: str, files: Mapping[str, str]) -> bool:
        asked.append(files)
        return True

    config = load_config(str(project), pytest.fail, answer)
    assert asked == [{".remora.toml": "context = 7\n", ".remorarc": "print 'from the project'\n"}]
    assert config.options == [("context", "7")]
    assert config.commands == ["print 'from the project'"]
    assert load_config(str(project), pytest.fail, refuse).commands == config.commands
    (project / ".remorarc").write_text("sh rm -rf something\n")  # another content: another decision
    assert load_config(str(project), notes.append).commands == []
    assert load_config(str(project), pytest.fail, lambda folder, files: False).commands == []
    assert load_config(str(project), pytest.fail, refuse).commands == []  # no was an answer, too
    decisions = home / "trusted-projects.json"
    assert stat.S_IMODE(decisions.stat().st_mode) == 0o600
    decisions.write_text("damaged")
    assert load_config(str(project), notes.append).commands == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no folder that nobody can write to")
def test_an_answer_that_cannot_be_kept_holds_for_now(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMORA_CONFIG_DIR", "/proc/nowhere")
    (project / ".remorarc").write_text("print 1\n")
    notes: list[str] = []
    assert load_config(str(project), notes.append, lambda folder, files: True).commands == ["print 1"]
    assert load_config(str(project), notes.append, lambda folder, files: False).commands == []
    assert len(notes) == 2
    assert "trusted-projects.json cannot be written" in notes[0]


def test_files_that_begin_as_windows_writes_them(home: Path, project: Path) -> None:
    (home / "settings.toml").write_text("context = 7\n", encoding="utf-8-sig")
    (home / "remorarc").write_text("print 1\n", encoding="utf-8-sig")
    config = load_config(str(project), pytest.fail)
    assert (config.options, config.commands) == ([("context", "7")], ["print 1"])
    (project / "commands").write_text("print 2\n", encoding="utf-8-sig")
    assert read_commands(str(project / "commands")) == [(1, "print 2")]


def test_settings_that_cannot_be_read_are_not_written_over(home: Path, debugging: Debugging) -> None:
    file = home / "settings.toml"
    file.write_bytes(b"# caf\xe9\ncontext = 5\n")
    with pytest.raises(ClientError, match="not UTF-8"):
        debugging.run("config -save context 15")
    assert file.read_bytes() == b"# caf\xe9\ncontext = 5\n"


def test_trust_by_a_command(home: Path, project: Path, debugging: Debugging) -> None:
    assert debugging.run("config -trust") == {"trusted": []}
    (project / ".remorarc").write_text("print 1\n")
    assert debugging.run("config -trust") == {"trusted": [".remorarc"]}
    assert load_config(str(project), pytest.fail, refuse).commands == ["print 1"]


def test_saving(home: Path, project: Path, debugging: Debugging) -> None:
    file = home / "settings.toml"
    file.write_text('# a remark\ncontext = 5  # few\n\n[aliases]\nx = "y"\n')
    assert debugging.run("config -save context 15")["saved"] == {"context": "15"}
    debugging.run("config -save theme monokai")
    assert file.read_text().startswith("# a remark\ncontext = 15\n")
    assert tomllib.loads(file.read_text()) == {"context": 15, "theme": "monokai", "aliases": {"x": "y"}}
    debugging.run("set notes off")
    assert debugging.run("config -save")["saved"] == {"context": "15", "theme": "monokai", "notes": "off"}
    assert debugging.run("config -list")["theme"] == "monokai"
    for command, says in (
        ("config -save context many", "1 to 999"),
        ("config -save no-such 1", "no option"),
        ("config -nothing", "-list"),
        ("config theme nothing", "terminal"),
        ("config nothing", "no option"),
    ):
        with pytest.raises(ClientError, match=says):
            debugging.run(command)


def test_the_page_on_settings_is_true(home: Path, project: Path, debugging: Debugging) -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, value, about in Settings().rows():
        assert re.search(rf"^\| `{name}` \| .* \| {re.escape(about)} \({value}\) \|$", page, re.MULTILINE), (
            name
        )
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (home / "settings.toml").write_text(example)
    load_config(str(project), pytest.fail).apply(debugging.ctx)
    assert debugging.ctx.settings.bare_names == "variable"
    assert debugging.ctx.aliases == {"pl": "print len(%1)"}
