"""What the packages show to the world: the names, that tools see the same ones, and what importing costs."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest

from tests.support.interpreters import ROOT, Interpreter
from tests.support.program import PYTHONPATH, clean_environment

PACKAGES = {"remora_protocol": "protocol", "remora": "server", "remora_client": "client"}

SERVER_NAMES = {
    "AttachAlreadyEnabledError",
    "Client",
    "InsecureWarning",
    "Stop",
    "break_into_debugger",
    "breakpoint",
    "connect",
    "disable_attach",
    "enable_attach",
    "is_attached",
    "on_attach",
    "on_stop",
    "post_mortem",
    "renderer",
    "trace_this_thread",
    "wait_for_attach",
    "wait_on_crash",
}

#: What costs milliseconds to import and is not needed before `enable_attach` is called.
HEAVY = {
    "asyncio",
    "dataclasses",
    "inspect",
    "json",
    "logging",
    "queue",
    "socket",
    "ssl",
    "threading",
    "typing",
}


def public(package: str) -> types.ModuleType:
    return importlib.import_module(package)


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_sorted_and_true(package: str) -> None:
    module = public(package)
    names = module.__all__
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(module, name)] == []
    # Its order is ruff's affair (RUF022); here only that nothing public is left out.
    shown = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name != "annotations"
    }
    typing_only = {"TYPE_CHECKING", "Any"}
    assert shown - typing_only - set(names) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_tools_see_the_same_names(package: str) -> None:
    """A type checker reads the file: every name of `__all__` must be defined or imported in it."""
    path = ROOT / PACKAGES[package] / package / "__init__.py"
    bound: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom | ast.Import):
            bound |= {name.asname or name.name for name in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
    assert set(public(package).__all__) - bound == set()
    assert (path.parent / "py.typed").exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_public_things_have_docstrings(package: str) -> None:
    module = public(package)
    silent = [
        name
        for name in module.__all__
        if (inspect.isclass(value := getattr(module, name)) or inspect.isfunction(value))
        and not getattr(value, "__doc__", None)
    ]
    assert silent == []


def test_the_servers_names_are_the_decided_ones() -> None:
    assert set(public("remora").__all__) - {"__version__"} == SERVER_NAMES


def test_enable_attach_has_the_order_that_a_ptvsd_script_relies_on() -> None:
    parameters = list(inspect.signature(public("remora").enable_attach).parameters.values())
    by_position = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    by_name = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
    assert by_position == ["secret", "address", "certfile", "keyfile", "redirect_output"]
    assert by_name == {"password", "client_cafile", "observer_secret", "name"}


def test_one_version() -> None:
    versions = {public(package).__version__ for package in PACKAGES}
    assert len(versions) == 1


def test_importing_the_server_starts_and_loads_nothing(interpreter: Interpreter) -> None:
    program = (
        "import sys; before = set(sys.modules); import remora, _thread;"
        "print(_thread._count(), *sorted(set(sys.modules) - before))"
    )
    environment = clean_environment({"PYTHONPATH": PYTHONPATH})
    command = [interpreter.path, "-S", "-c", program]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    threads, *loaded = run.stdout.split()
    assert threads == "0"
    assert HEAVY & set(loaded) == set()


def test_the_tests_import_this_checkout() -> None:
    for package, folder in PACKAGES.items():
        path = Path(public(package).__file__ or "")
        assert path.is_relative_to(ROOT / folder), sys.path
