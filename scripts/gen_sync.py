"""Makes `remora_client/_sync.py` from `remora_client/aio.py`: the same without the awaits.

Every coroutine of the API is `async def` there; here it is a function that has the same coroutine run on
an event loop in a thread of the session's own. `--check` says whether the file is fresh.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parent.parent / "client" / "remora_client"
SOURCE, TARGET = CLIENT / "aio.py", CLIENT / "_sync.py"

HEAD = '''"""GENERATED from aio.py by scripts/gen_sync.py: the scripting API without asyncio.

Each session has a thread with an event loop; every call here has a coroutine of `aio` run there and waits
for it. A session may be used from any thread, one call at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from remora_client import aio
from remora_client._loop_thread import LoopThread

if TYPE_CHECKING:
{imports}

__all__ = ["Session", "attach", "processes"]

'''


def signature(node: ast.AsyncFunctionDef | ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"def {node.name}({ast.unparse(node.args)}){returns}:"


def call(node: ast.AsyncFunctionDef | ast.FunctionDef) -> str:
    """The arguments handed on, by position where they have one."""
    given = [argument.arg for argument in node.args.args if argument.arg != "self"]
    given += [f"{argument.arg}={argument.arg}" for argument in node.args.kwonlyargs]
    if node.args.kwarg:
        given.append(f"**{node.args.kwarg.arg}")
    return ", ".join(given)


def docstring(node: ast.AST, indent: str) -> list[str]:
    assert isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef | ast.ClassDef)
    text = ast.get_docstring(node)
    if text is None:
        return []
    first, *rest = text.splitlines()
    if not rest:
        return [f'{indent}"""{first}"""']
    return [f'{indent}"""{first}', *(f"{indent}{line}".rstrip() for line in rest), f'{indent}"""']


def method(node: ast.AsyncFunctionDef | ast.FunctionDef) -> list[str]:
    lines = ["    @property"] if node.decorator_list else []
    lines += ["    " + signature(node), *docstring(node, "        ")]
    if node.decorator_list:
        lines.append(f"        return self._twin.{node.name}")
    elif isinstance(node, ast.AsyncFunctionDef):
        lines.append(f"        return self._loop.run(self._twin.{node.name}({call(node)}))")
    else:
        lines.append(f"        return self._loop.call(self._twin.{node.name}, {call(node)})")
    return [*lines, ""]


SPECIAL = {
    "__init__": """\
    def __init__(self, twin: aio.Session, loop: LoopThread) -> None:
        self._twin = twin
        self._loop = loop
""",
    "__aenter__": """\
    def __enter__(self) -> Session:
        return self
""",
    "__aexit__": """\
    def __exit__(self, *exc_info: object) -> None:
        self.detach()
""",
    "__repr__": """\
    def __repr__(self) -> str:
        return repr(self._twin)
""",
    "detach": '''\
    def detach(self) -> None:
        """Leave the program running. Safe to call twice."""
        if self._loop.running:
            self._loop.run(self._twin.detach())
            self._loop.stop()
''',
}


def function(node: ast.AsyncFunctionDef) -> list[str]:
    lines = [signature(node), *docstring(node, "    "), "    loop = LoopThread()", "    try:"]
    if node.name == "attach":
        lines.append(f"        return Session(loop.run(aio.attach({call(node)})), loop)")
        lines += ["    except BaseException:", "        loop.stop()", "        raise"]
    else:
        lines += [
            f"        return loop.run(aio.{node.name}({call(node)}))",
            "    finally:",
            "        loop.stop()",
        ]
    return [*lines, "", ""]


def generate() -> str:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    imports: list[str] = []
    body: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.If):
            imports = [ast.unparse(each) for each in node.body]
        elif isinstance(node, ast.AsyncFunctionDef):
            body += function(node)
        elif isinstance(node, ast.ClassDef):
            body += [f"class {node.name}:", *docstring(node, "    "), ""]
            for item in node.body:
                if isinstance(item, ast.AsyncFunctionDef | ast.FunctionDef):
                    body += [*SPECIAL[item.name].splitlines(), ""] if item.name in SPECIAL else method(item)
    imports.insert(1, "from remora_client._options import ConnectOptions")
    head = HEAD.format(imports="\n".join(f"    {line}" for line in imports))
    return head + "\n".join(body).rstrip() + "\n"


def formatted(text: str) -> str:
    ruff = [sys.executable, "-m", "ruff"]
    target = ["--quiet", "--stdin-filename", str(TARGET), "-"]
    for step in (["check", "--select", "I,F401", "--fix"], ["format"]):
        command = [*ruff, *step, *target]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


def main() -> int:
    text = formatted(generate())
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") != text:
            print(f"{TARGET} is stale: run scripts/gen_sync.py", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
