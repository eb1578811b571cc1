"""The package as a whole: runs bare under every Python, does no I/O, offers what it says."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import remora_protocol
from tests.support.interpreters import ROOT, Interpreter

SOURCES = sorted((ROOT / "protocol" / "remora_protocol").glob("*.py"))
DOERS = {
    "asyncio",
    "select",
    "selectors",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "_thread",
    "pathlib",
    "logging",
}


def test_it_runs_bare_under_every_python(interpreter: Interpreter) -> None:
    command = [interpreter.path, "-W", "error", "-S", str(Path(__file__).with_name("smoke.py"))]
    environment = {"PYTHONPATH": str(ROOT / "protocol"), "PYTHONIOENCODING": "utf-8"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (result.stdout, result.stderr) == ("done\n", "")


def test_it_does_no_io() -> None:
    imported = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).partition(".")[0])
    assert not imported & DOERS


def test_it_offers_what_its_modules_offer() -> None:
    assert sorted(remora_protocol.__all__) == sorted(set(remora_protocol.__all__))
    for name in remora_protocol.__all__:
        value = getattr(remora_protocol, name)
        module = getattr(value, "__module__", "")
        if module.startswith("remora_protocol."):
            assert name in __import__(module, fromlist=["__all__"]).__all__


def test_every_module_says_what_it_offers_and_what_it_is_for() -> None:
    for path in SOURCES:
        tree = ast.parse(path.read_text("utf-8"))
        assert ast.get_docstring(tree), path
        names = [ast.unparse(node.targets[0]) for node in tree.body if isinstance(node, ast.Assign)]
        assert "__all__" in names or path.name == "_version.py", path
