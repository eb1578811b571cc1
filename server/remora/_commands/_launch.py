"""Runs a program as Python itself would, with the server enabled. On the main thread.

The program must not see the difference: its `__main__`, `sys.argv`, `sys.path[0]`, uncaught tracebacks and
exit code are those of `python script.py`.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Options", "main"]

_USAGE = """\
usage: python -m remora [options] (SCRIPT | -m MODULE) [ARGS ...]

Runs a program and lets a debugger attach to it:  remora attach tcp://HOST:PORT

  --listen HOST:PORT    where to listen; [HOST]:PORT for IPv6; port 0 takes any free one (127.0.0.1:5678)
  --secret-file FILE    the first line of FILE is what a client has to know
  --secret-env NAME     the same, from an environment variable, which the program does not get to see
  --no-secret           let everybody in who can reach the address
  --certfile FILE       a certificate in PEM; turns TLS on
  --keyfile FILE        its key, unless the certificate's file holds it
  --wait                begin when a client has attached

python -m remora agent [options] runs no program: it keeps the port, for all programs of this user here.
python -m remora proxy --stdio lets a debugger in over standard input and output.
"""


class Options:
    """What the command line says."""

    def __init__(self) -> None:
        self.address = ("127.0.0.1", 5678)
        self.secret: str | None = None
        self.has_secret = False
        self.certfile: str | None = None
        self.keyfile: str | None = None
        self.wait = False
        self.module: str | None = None
        self.arguments: list[str] = []


def main() -> None:
    """The command."""
    if sys.argv[1:2] == ["proxy"]:
        from remora._commands import _proxy

        sys.exit(_proxy.main(sys.argv[2:]))
    is_agent = sys.argv[1:2] == ["agent"]
    options = _parse(sys.argv[2:] if is_agent else sys.argv[1:], needs_program=not is_agent)
    import remora

    try:
        if is_agent:
            from remora._commands._agent import run

            sys.exit(run(options))
        address = remora.enable_attach(options.secret, options.address, options.certfile, options.keyfile)
    except OSError as error:
        _fail(f"cannot listen on {_join(options.address)}: {error}", 3)
    except ValueError as error:  # a secret that nobody can type, a key without a certificate
        _fail(str(error))
    if options.wait or options.address[1] == 0:
        scheme = "tcps" if options.certfile else "tcp"
        waiting = ", waiting for a client" if options.wait else ""
        print(
            f"remora: {scheme}://{_join(address)} is process {os.getpid()}{waiting}",
            file=sys.stderr,
            flush=True,
        )
    sys.argv = options.arguments
    # Before it waits: from here on `__main__` is the program's, by whose name it is known.
    program = (
        _module_runner(options.module) if options.module is not None else _script_runner(options.arguments[0])
    )
    if options.wait:
        remora.wait_for_attach()
    _run(program)


# -- the command line -----------------------------------------------------------------------------


def _parse(words: list[str], *, needs_program: bool = True) -> Options:
    """By hand: what follows the script belongs to the script, whatever it looks like."""
    options = Options()
    waiting = list(words)

    def value(option: str, inline: str | None) -> str:
        if inline is not None:
            return inline
        if not waiting:
            _fail(f"{option} needs a value")
        return waiting.pop(0)

    while waiting:
        word = waiting.pop(0)
        name, equals, inline_text = word.partition("=")
        inline = inline_text if equals else None
        if word in ("-h", "--help"):
            print(_USAGE, end="")
            sys.exit(0)
        elif word == "-m":
            options.module = value(word, None)
            options.arguments = ["-m", *waiting]
            break
        elif name == "--listen":
            options.address = _read_address(value(name, inline))
        elif name == "--secret-file":
            options.secret, options.has_secret = _read_secret_file(value(name, inline)), True
        elif name == "--secret-env":
            options.secret, options.has_secret = _read_secret_variable(value(name, inline)), True
        elif word == "--no-secret":
            options.has_secret = True
        elif name == "--certfile":
            options.certfile = value(name, inline)
        elif name == "--keyfile":
            options.keyfile = value(name, inline)
        elif word == "--wait":
            options.wait = True
        elif word.startswith("-") and word != "-":
            _fail(f"there is no option {name}")
        else:
            options.arguments = [word, *waiting]
            break
    if not needs_program and (options.arguments or options.wait):
        _fail("the agent runs no program, and waits for nobody")
    if needs_program and not options.arguments:
        _fail("which program? Name a script, or -m and a module")
    if not options.has_secret:
        _fail("say what a client has to know: --secret-file FILE or --secret-env NAME; or --no-secret")
    return options


def _read_address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon and text.isdecimal():
        host, port = "127.0.0.1", text
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not port.isdecimal() or int(port) > 65535 or not host:
        _fail(f"--listen {text}: an address looks like 127.0.0.1:5678 or [::1]:5678")
    return host, int(port)


def _read_secret_file(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            secret = file.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        _fail(f"--secret-file {path}: {error}")
    if not secret:
        _fail(f"--secret-file {path}: its first line is empty")
    return secret


def _read_secret_variable(name: str) -> str:
    secret = os.environ.pop(name, "")
    if not secret:
        _fail(f"--secret-env {name}: there is no such variable, or it is empty")
    return secret


def _join(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _fail(text: str, code: int = 2) -> NoReturn:
    print(f"remora: {text}\n`python -m remora --help` shows how.", file=sys.stderr)
    sys.exit(code)


# -- the program ----------------------------------------------------------------------------------


def _run(program: Callable[[], None]) -> None:
    from remora._api import set_exit_code

    try:
        program()
        set_exit_code(0)
    except SystemExit as error:
        set_exit_code(_code_of(error))
        raise
    except BaseException as error:
        set_exit_code(1)
        _show(error)
        # The interpreter ends as it would have: with code 1, or for Ctrl-C by the signal.
        sys.excepthook = lambda *_: None
        raise


def _code_of(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def _show(error: BaseException) -> None:
    """Have the program's own hook show the exception, without the frames that ran the program."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    try:
        sys.excepthook(type(error), error, traceback)
    except BaseException:
        sys.__excepthook__(type(error), error, traceback)


def _module_runner(name: str) -> Callable[[], None]:
    """As `python -m name`. The frames of `runpy` stand in such a traceback in any case."""
    import runpy
    from importlib.machinery import ModuleSpec

    runner: Any = runpy
    _replace_main().__spec__ = ModuleSpec(
        name, None
    )  # until the real one is found: lists have its name from it
    return lambda: runner._run_module_as_main(name)


def _script_runner(path: str) -> Callable[[], None]:
    """As `python path`, where path is a script, or a folder or archive with a `__main__.py`."""
    import runpy
    from pkgutil import get_importer

    has_first = not (sys.flags.isolated or getattr(sys.flags, "safe_path", False))
    if get_importer(path) is not None:  # a folder or an archive
        runner: Any = runpy
        sys.path[: 1 if has_first else 0] = [os.path.abspath(path)]
        _replace_main()
        return lambda: runner._run_module_as_main("__main__", False)
    if has_first:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    full = os.path.abspath(path)
    return _code_runner(full, _replace_main(full))


def _code_runner(path: str, main: ModuleType) -> Callable[[], None]:
    def run() -> None:
        loader = main.__loader__
        assert loader is not None
        code = loader.get_code("__main__") if path.endswith(".pyc") else _compile(path)  # type: ignore[attr-defined]
        exec(code, main.__dict__)

    return run


def _compile(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as error:
        reason = f"[Errno {error.errno}] {error.strerror}"
        print(f"{sys.executable}: can't open file {path!r}: {reason}", file=sys.stderr)
        sys.exit(2)
    return compile(text, path, "exec", dont_inherit=True)


def _replace_main(path: str | None = None) -> ModuleType:
    """A `__main__` as empty as the program would find it."""
    import builtins
    from importlib.machinery import SourceFileLoader, SourcelessFileLoader

    main = ModuleType("__main__")
    names = main.__dict__
    names["__builtins__"] = builtins
    if path is not None:
        make = SourcelessFileLoader if path.endswith(".pyc") else SourceFileLoader
        names.update(__file__=path, __loader__=make("__main__", path), __package__=None, __spec__=None)
        if sys.version_info < (3, 15):
            names["__cached__"] = None
    if sys.version_info < (3, 14):
        names["__annotations__"] = {}
    _kept.append(sys.modules.get("__main__"))
    sys.modules["__main__"] = main
    return main


#: The `__main__` that this code was started from. Without it its names would be cleared.
_kept: list[ModuleType | None] = []
