"""The documentation is true: its examples run, its tables are the code's, its links lead somewhere."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import runpy
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

import remora_client
from remora_client.commands import COMMANDS
from remora_protocol import ERROR_IDS
from tests.support.interpreters import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]*)(?:#([\w-]*))?\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.stem}-{self.language}-{self.text[:20].strip()!r}"


BLOCKS = [Block(page, *found) for page in PAGES for found in _FENCE.findall(page.read_text(encoding="utf-8"))]


def rows(page: str, pattern: str) -> list[tuple[str, ...]]:
    """The cells of a page's table rows that match."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [tuple(found) for found in re.findall(pattern, text, re.MULTILINE)]


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, as code hosts make it of their words."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.language == "python"], ids=str)
def test_python_examples_use_what_there_is(block: Block) -> None:
    tree = ast.parse(block.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = __import__(node.module or "", fromlist=["*"])
            assert {name.name for name in node.names} <= set(module.__all__)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "remora":
            import remora

            assert node.attr in remora.__all__


@pytest.mark.parametrize("block", [one for one in BLOCKS if "$ remora" in one.text], ids=str)
def test_commands_shown_are_commands_there_are(block: Block) -> None:
    from remora_client import cli

    parser = cli._parser()
    for line in re.findall(r"^\$ remora (.*)$", block.text, re.MULTILINE):
        words = [one.strip("'") for one in re.findall(r"'[^']*'|\S+", line)]
        assert parser.parse_args(words).module


@pytest.mark.parametrize("page", [*PAGES, *sorted((ROOT / "docs" / "commands").glob("*.md"))], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target, heading in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not heading or heading in anchors(there), f"{target}#{heading}"


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"](docs/{page.name})" not in readme] == []


def test_the_signatures_of_the_api_are_python() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    shown = [textwrap.dedent(each) for each in re.findall(r"(?:^    .*\n)+", page, re.MULTILINE)]
    assert len(shown) > 50
    for each in shown:
        ast.parse(f"def {each.rstrip()}: ..." if "(" in each.partition(":")[0] else each)


def test_the_modules_that_are_named_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(_[\w/]+?)/?`", text))
    assert len(named) > 20
    folders = [
        ROOT / "protocol" / "remora_protocol",
        ROOT / "server" / "remora",
        ROOT / "client" / "remora_client",
    ]
    for name in named:
        assert any((folder / name).is_dir() or (folder / f"{name}.py").is_file() for folder in folders), name


@pytest.mark.parametrize(("package", "heading"), [("remora", "server"), ("remora_client", "client")])
def test_every_folder_and_module_has_its_row(package: str, heading: str) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    part = text.partition(f"## Inside the {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*) \|", part, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)/?`", cell)}
    there = {path.stem for path in (ROOT / heading / package).iterdir() if path.suffix == ".py"}
    there |= {path.parent.name for path in (ROOT / heading / package).glob("*/__init__.py")}
    assert named == there - {"__init__"}


def test_the_error_codes_are_all_there() -> None:
    shown = rows("protocol.md", r"^\| (\d+) \| `([\w-]+)` \|")
    assert {code: int(number) for number, code in shown} == dict(ERROR_IDS)


def test_the_exit_codes_are_the_clients() -> None:
    from remora_client import _errors

    used = {
        one.exit_code for one in vars(_errors).values() if isinstance(one, type) and hasattr(one, "exit_code")
    }
    shown = {int(number) for (number,) in rows("exit-codes.md", r"^\| (\d) \| [^`]")}
    assert shown == used | {0}


def test_every_variable_of_the_environment_is_told_of() -> None:
    told = {name for name, _ in rows("settings.md", r"^\| `(REMORA_\w+)` \| (.*?) \|")}
    texts = [
        path.read_text(encoding="utf-8")
        for place in ("client", "server")
        for path in (ROOT / place).rglob("*.py")
    ]
    assert told == {name for text in texts for name in re.findall(r"\"(REMORA_[A-Z_]+)\"", text)}


def test_every_command_says_what_does_the_same_in_python() -> None:
    """Everything that a person can do, a program can: a new command needs a method, or a said reason."""
    equivalents = runpy.run_path(str(ROOT / "scripts" / "equivalents.py"))["EQUIVALENTS"]
    assert list(equivalents) == list(dict.fromkeys(equivalents))
    assert set(equivalents) == set(COMMANDS)
    kinds = {
        "session": remora_client.Session,
        "sessions": remora_client.Sessions,
        "frame": remora_client.Frame,
        "value": remora_client.Value,
    }
    for name, does in equivalents.items():
        for text in () if isinstance(does, str) else does:
            for node in ast.walk(ast.parse(text, mode="eval")):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    kind = kinds[node.value.id]
                    has = hasattr(kind, node.attr) or node.attr in {each.name for each in fields_of(kind)}
                    assert has, f"{name}: {text}"
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    assert isinstance(node.func.value, ast.Name)
                    method = getattr(kinds[node.func.value.id], node.func.attr)
                    inspect.signature(method).bind(
                        None, *node.args, **{str(each.arg): 0 for each in node.keywords}
                    )


def fields_of(kind: type) -> tuple[dataclasses.Field[object], ...]:
    return dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
