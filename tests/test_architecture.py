"""Who may import whom. Read from the source, so that an import inside a function counts as well.

A package is a list of layers, the highest first. A file may import from its own layer and those below it,
without circles; only under `if TYPE_CHECKING:` may an import point up. A new file has to be given its place
here: that is the moment to ask where it belongs.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.interpreters import ROOT

FOLDERS = {"remora_protocol": "protocol", "remora": "server", "remora_client": "client"}

#: What each package may import besides itself and the standard library.
MAY_USE = {
    "remora_protocol": set(),
    "remora": {"remora_protocol", "__pypy__"},
    "remora_client": {"remora_protocol", "prompt_toolkit", "pygments", "cryptography", "platformdirs"}
    # Each in the module for its extra.
    | {"distributed", "ray", "celery"},
}

#: Highest first. A name is a module or a whole sub-package; with a dot, a module apart from its package; ""
#: is the package itself, with its public names.
LAYERS: dict[str, list[set[str]]] = {
    "remora_protocol": [
        {""},
        {"_login", "_connection"},
        {"_messages", "_scram", "_process"},
        {"_framing", "_scram_text", "_channel_binding", "_qualifier", "_registry", "_sourcematch"},
        {"_errors", "_limits", "_version"},
    ],
    "remora": [
        {"__main__"},
        {"_commands"},
        {""},
        {"_api"},
        {"_enabled"},
        {"_assembly"},
        {"_sessions"},
        {"_handlers"},
        {"_control"},
        {"_stopping"},
        {"_inspection"},
        {"_engine", "_network"},
        {"_opening", "_preload", "_source", "_streams"},
        {"_owner"},
        {"_crash", "_errors", "_identity", "_interpreter", "_log"},
    ],
    "remora_client": [
        {"__main__", "cli"},
        {"_learning"},
        {"_subcommands"},
        {"repl"},
        {"commands"},
        {""},
        {"_scripting._sync", "_scripting._loop_thread"},
        {"aio"},
        {"_scripting"},
        {"_bridge", "_groups"},
        {"_targets"},
        {"_finding", "_snapshot._taking"},
        {"_inject", "_sessions", "discovery"},
        {"_snapshot"},
        {"_connecting"},
        {"_ptvsd"},
        {"_options"},
        {"_transport"},
        {"_credentials", "render"},
        {"_errors", "_model", "_places", "_source", "_terminal_size", "locspec"},
        {"_declared", "_fragments", "_interruptible", "_literal", "_text"},
        {"_records"},
    ],
}


@dataclass(frozen=True)
class Import:
    """One import in a file: of what, where, and whether only a type checker sees it."""

    target: str
    path: Path
    line: int
    for_types: bool

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} imports {self.target}"


def files_of(package: str) -> list[Path]:
    return sorted((ROOT / FOLDERS[package] / package).rglob("*.py"))


def module_of(path: Path, package: str) -> str:
    parts = path.relative_to(ROOT / FOLDERS[package]).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def imports_in(path: Path) -> Iterator[Import]:
    def walk(node: ast.AST, for_types: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(name.name, path, node.lineno, for_types)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            for name in node.names:
                yield Import(f"{node.module}.{name.name}", path, node.lineno, for_types)
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            for statement in node.body:
                yield from walk(statement, True)
            for statement in node.orelse:
                yield from walk(statement, for_types)
        else:
            for child in ast.iter_child_nodes(node):
                yield from walk(child, for_types)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), False)


def imports_of(package: str) -> list[Import]:
    return [found for path in files_of(package) for found in imports_in(path)]


def layer(package: str, module: str) -> int:
    """Where a module of a package stands."""
    name = module.partition(".")[2]
    for known in (name, name.partition(".")[0]):
        for index, names in enumerate(LAYERS[package]):
            if known in names:
                return index
    raise LookupError(f"{module} has no layer: give it its place in {Path(__file__).name}")


def target_module(found: Import, package: str) -> str:
    """The module meant: `from a._b import name` and `from a import _b` both mean `a._b`."""
    inside = Path(ROOT / FOLDERS[package], *found.target.split("."))
    if inside.with_suffix(".py").exists() or (inside / "__init__.py").exists():
        return found.target
    return found.target.rpartition(".")[0]


@pytest.mark.parametrize("package", FOLDERS)
def test_a_package_imports_the_standard_library_and_what_it_may_use(package: str) -> None:
    known = {package, "__future__", *sys.stdlib_module_names, *MAY_USE[package]}
    strangers = [found for found in imports_of(package) if found.target.split(".")[0] not in known]
    assert not strangers, "\n".join(map(str, strangers))


def test_server_and_client_do_not_know_each_other() -> None:
    crossing = [
        found
        for package, other in (("remora", "remora_client"), ("remora_client", "remora"))
        for found in imports_of(package)
        if found.target.split(".")[0] == other
    ]
    assert not crossing, "\n".join(map(str, crossing))


@pytest.mark.parametrize("package", FOLDERS)
def test_every_file_has_its_layer(package: str) -> None:
    for path in files_of(package):
        layer(package, module_of(path, package))


@pytest.mark.parametrize("package", FOLDERS)
def test_the_layers_name_only_what_is_there(package: str) -> None:
    there = {module_of(path, package).partition(".")[2] for path in files_of(package)}
    named = [name for names in LAYERS[package] for name in names]
    assert sorted(named) == sorted(set(named)), "a name stands in two layers"
    assert set(named) <= there, f"no such file: {set(named) - there}"


@pytest.mark.parametrize("package", FOLDERS)
def test_imports_point_down(package: str) -> None:
    wrong = []
    for found in imports_of(package):
        if found.for_types or found.target.split(".")[0] != package:
            continue
        importer, imported = module_of(found.path, package), target_module(found, package)
        if layer(package, imported) < layer(package, importer):
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", FOLDERS)
def test_no_two_modules_of_a_layer_import_each_other(package: str) -> None:
    """Within a layer an import is fine as long as no circle comes of it."""
    edges: dict[str, set[str]] = {}
    for found in imports_of(package):
        if not found.for_types and found.target.split(".")[0] == package:
            importer, imported = module_of(found.path, package), target_module(found, package)
            if importer not in (package, imported):
                edges.setdefault(importer, set()).add(imported)

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, "a circle: " + " > ".join([*path[path.index(module) :], module])
        for imported in sorted(edges.get(module, ())):
            if imported not in done:
                visit(imported, (*path, module))
        done.add(module)

    done: set[str] = set()
    for module in sorted(edges):
        if module not in done:
            visit(module, ())


@pytest.mark.parametrize("package", FOLDERS)
def test_every_module_says_what_it_is_for(package: str) -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in files_of(package)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent, silent


@pytest.mark.parametrize("package", FOLDERS)
def test_a_file_over_400_lines_says_why(package: str) -> None:
    """The word to look for is "long" in the module's docstring; or it says that it is generated."""
    silent = []
    for path in files_of(package):
        text = path.read_text(encoding="utf-8")
        docstring = " ".join((ast.get_docstring(ast.parse(text)) or "").lower().split())
        if len(text.splitlines()) > 400 and not ("generated" in docstring or " long" in docstring):
            silent.append(f"{path.relative_to(ROOT)}: {len(text.splitlines())} lines")
    assert not silent, silent


@pytest.mark.parametrize("package", ["remora_protocol", "remora"])
def test_what_runs_in_the_debuggee_is_written_for_python_3_9(package: str) -> None:
    """Syntax only; the debuggees of the other tests prove the rest."""
    for path in files_of(package):
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 9))
