"""Makes `remora_client/_sync.py` from `remora_client/aio.py` and `_objects.py`: the same without the awaits.

Every coroutine of the API is `async def` there; here it is a function that has the same coroutine run on
an event loop in a thread of the session's own. What it gives is turned into the twin of this side.
`--check` says whether the file is fresh.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parent.parent / "client" / "remora_client"
SOURCES, TARGET = (CLIENT / "_objects.py", CLIENT / "aio.py"), CLIENT / "_sync.py"

HEAD = '''"""GENERATED from aio.py and _objects.py by scripts/gen_sync.py: the scripting API without asyncio.

Each session or group of them has a thread with an event loop; every call here has a coroutine of `aio` run
there and waits for it. A session may be used from any thread, one call at a time.
"""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import TYPE_CHECKING, Any

from remora_client import _model, aio
from remora_client._loop_thread import LoopThread, in_caller
from remora_client._records import record

if TYPE_CHECKING:
{imports}

__all__ = ["Frame", "Session", "Sessions", "Stop", "Value", "attach", "attach_all", "processes"]

def _own(found: Any, loop: LoopThread) -> Any:
    """What a coroutine of `aio` gave, as what is of this module."""
    match found:
        case aio.Session():
            return Session(found, loop)
        case aio.Frame():
            return Frame(**_fields(found, _model.Frame), _twin=found, _loop=loop)
        case aio.Value():
            return Value(**_fields(found, _model.Variable), _twin=found, _loop=loop)
        case aio.Stop():
            return Stop(**{{**_fields(found, _model.Stop), "frame": _own(found.frame, loop)}})
        case list():
            return [_own(each, loop) for each in found]
        case tuple():
            return tuple(_own(each, loop) for each in found)
    return found


def _fields(found: Any, kind: type) -> dict[str, Any]:
    return {{each.name: getattr(found, each.name) for each in dataclasses.fields(kind)}}


def _called_here(
    function: Callable[[Stop], object] | None, loop: LoopThread
) -> Callable[[aio.Stop], object] | None:
    """A callback that the thread which waits for a stop is to run."""
    return None if function is None else lambda stop: in_caller(function, _own(stop, loop))

'''


def signature(node: ast.AsyncFunctionDef | ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"def {node.name}({ast.unparse(node.args)}){returns}:"


def call(node: ast.AsyncFunctionDef | ast.FunctionDef) -> str:
    """The arguments handed on, by position where they have one."""
    positional = node.args.args[1:] if node.args.args and node.args.args[0].arg == "self" else node.args.args
    given = [argument.arg for argument in positional]
    if node.args.vararg:
        given.append(f"*{node.args.vararg.arg}")
    for argument in node.args.kwonlyargs:
        value = "_called_here(on_hit, self._loop)" if argument.arg == "on_hit" else argument.arg
        given.append(f"{argument.arg}={value}")
    if node.args.kwarg:
        given.append(f"**{node.args.kwarg.arg}")
    return ", ".join(given)


#: Only what has one of these in it needs to be turned into this side's.
TWINS = {"Session", "Frame", "Value", "Stop"}


def has_twin(node: ast.AsyncFunctionDef | ast.FunctionDef) -> bool:
    names = {each.id for each in ast.walk(node.returns or ast.Constant(None)) if isinstance(each, ast.Name)}
    return bool(names & TWINS)


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
        value = f"self._twin.{node.name}"
    elif isinstance(node, ast.AsyncFunctionDef):
        value = f"self._loop.run(self._twin.{node.name}({call(node)}))"
    else:
        value = f"self._loop.call(self._twin.{node.name}, {call(node)})"
    if has_twin(node):
        assert node.returns
        return [
            *lines,
            f"        found: {ast.unparse(node.returns)} = _own({value}, self._loop)",
            "        return found",
            "",
        ]
    return [*lines, f"        return {value}", ""]


def record(node: ast.ClassDef) -> list[str]:
    """A frozen dataclass: the same record, with a way to its twin where it can be asked for more."""
    bases = ", ".join(map(ast.unparse, node.bases))
    lines = ["@record", f"class {node.name}({bases}):", *docstring(node, "    "), ""]
    own = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    asked = any(isinstance(item, ast.AsyncFunctionDef) for item in node.body)
    lines += [
        f"    {ast.unparse(item)}"
        for item in own
        if isinstance(item.target, ast.Name) and not item.target.id.startswith("_")
    ]
    if asked:
        kind = "field(kw_only=True, repr=False, compare=False)"
        lines += [f"    _twin: aio.{node.name} = {kind}", f"    _loop: LoopThread = {kind}", ""]
    for item in node.body:
        is_method = isinstance(item, ast.AsyncFunctionDef | ast.FunctionDef)
        if is_method and not any(ast.unparse(each) == "classmethod" for each in item.decorator_list):
            lines += method(item)
    return [*lines, ""]


BEGIN = """\
    def __init__(self, twin: aio.{name}, loop: LoopThread) -> None:
        self._twin = twin
        self._loop = loop
        {more}
"""
SPECIAL = {
    "__aenter__": """\
    def __enter__(self) -> {name}:
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
}
#: What is written for one class and for no other.
OF_CLASS = {
    ("Session", "__init__"): BEGIN.format(name="Session", more="loop.enter(self)"),
    ("Session", "detach"): """\
    def detach(self, *, keep_stopped: bool = False) -> None:
{doc}
        if self._loop.running:
            try:
                self._loop.run(self._twin.detach(keep_stopped=keep_stopped))
            finally:
                self._loop.leave(self)
""",
    ("Sessions", "__init__"): BEGIN.format(
        name="Sessions",
        more="""self._own: dict[int, Session] = {}
        loop.enter(self)

    def _session(self, twin: aio.Session) -> Session:
        if id(twin) not in self._own:
            self._own[id(twin)] = Session(twin, self._loop)
        session: Session = self._own[id(twin)]
        return session""",
    ),
    ("Sessions", "__iter__"): """\
    def __iter__(self) -> Iterator[Session]:
        return iter([self._session(each) for each in self._loop.call(list, self._twin)])
""",
    ("Sessions", "__len__"): """\
    def __len__(self) -> int:
        return len(self._twin)
""",
    ("Sessions", "__getitem__"): """\
    def __getitem__(self, index: int) -> Session:
        return list(self)[index]
""",
    ("Sessions", "stops"): """\
    def stops(self, timeout: float | None = None) -> Iterator[tuple[Session, Stop]]:
{doc}
        while (found := self.next_stop(timeout)) is not None:
            yield found
""",
    **{
        ("Sessions", name): f"""\
    def {name}(self, timeout: float | None = None) -> tuple[Session, Stop] | None:
{{doc}}
        found = self._loop.run(self._twin.{name}(timeout))
        if found is None:
            return None
        stop: Stop = _own(found[1], self._loop)
        return self._session(found[0]), stop
"""
        for name in ("next_stop", "wait_for_stop")
    },
    ("Sessions", "listen"): """\
    def listen(
        self, listener: Callable[[Session, str, dict[str, Any]], None], *events: str
    ) -> Callable[[], None]:
{doc}

        def tell(twin: aio.Session, event: str, body: dict[str, Any]) -> None:
            listener(self._session(twin), event, body)

        return self._loop.call(self._twin.listen, tell, *events)
""",
    ("Sessions", "detach"): """\
    def detach(self) -> None:
{doc}
        if self._loop.running:
            try:
                self._loop.run(self._twin.detach())
            finally:
                for each in self._own.values():
                    self._loop.leave(each)
                self._loop.leave(self)
""",
}
#: The classes that a function at the top of the module makes.
MADE = {"attach": "Session", "attach_all": "Sessions"}


def function(node: ast.AsyncFunctionDef) -> list[str]:
    lines = [signature(node), *docstring(node, "    "), "    loop = LoopThread()", "    try:"]
    if node.name in MADE:
        lines.append(f"        return {MADE[node.name]}(loop.run(aio.{node.name}({call(node)})), loop)")
        lines += ["    except BaseException:", "        loop.stop()", "        raise"]
    else:
        lines += [
            f"        return loop.run(aio.{node.name}({call(node)}))",
            "    finally:",
            "        loop.stop()",
        ]
    return [*lines, "", ""]


def special(kind: str, item: ast.AsyncFunctionDef | ast.FunctionDef) -> list[str]:
    text = OF_CLASS.get((kind, item.name)) or SPECIAL.get(item.name, "").replace("{name}", kind)
    text = text.replace("{doc}", "\n".join(docstring(item, " " * 8)))
    return [*text.splitlines(), ""] if text else method(item)


def generate() -> str:
    imports: list[str] = []
    body: list[str] = []
    for source in SOURCES:
        for node in ast.parse(source.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.If):
                imports += [ast.unparse(each) for each in node.body]
            elif isinstance(node, ast.AsyncFunctionDef):
                body += function(node)
            elif isinstance(node, ast.ClassDef) and node.decorator_list:
                body += record(node)
            elif isinstance(node, ast.ClassDef):
                body += [f"class {node.name}:", *docstring(node, "    "), ""]
                for item in node.body:
                    is_method = isinstance(item, ast.AsyncFunctionDef | ast.FunctionDef)
                    if is_method and (not item.name.startswith("_") or item.name.startswith("__")):
                        body += special(node.name, item)
    imports = [each for each in imports if each != "from remora_client import _model"]  # the head has it
    imports.append("from remora_client._model import LogRecord")
    imports.append("from remora_client._options import ConnectOptions")
    head = HEAD.format(imports="\n".join(f"    {line}" for line in dict.fromkeys(imports)))
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
