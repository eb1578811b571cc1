"""The command `remora`: reads its arguments and hands over to the module that does the work.

Everything is imported when it is needed, so that `--help` is quick, and so that an old Python or a missing
extra gets a sentence instead of a traceback. This file is therefore written for any Python 3.7 or later.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

from remora_protocol._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_NEEDED = ("prompt_toolkit", "pygments", "cryptography", "platformdirs")
_QUALIFIER = "[tcp://|tcps://][SECRET@]HOST[:PORT][#PID]"
# It is not shown again: it may hold a secret.
_PLACE = "remora: That is a place, and no command. To debug what is there: remora attach PLACE"
_EPILOG = f"""\
A QUALIFIER is {_QUALIFIER}: tcp and port 5678 unless it
says otherwise, IPv6 in brackets, '%' in the secret written '%25'. The secret is better kept out of the
shell's history: --secret-file, the variable REMORA_SECRET, or the prompt that comes when it is missing.
Or it is ssh://[USER@]HOST[:PORT][/PID], where a login is all that is needed; or unix:///PATH of a socket.

Exit codes: 0 done, 1 a command failed, 2 wrong usage, 3 cannot connect, 4 rejected, 5 certificate not
trusted, 6 not a Remora or wrong version, 7 the debuggee went away."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `remora`. Gives the exit code."""
    _open_streams()
    argv = sys.argv[1:] if argv is None else argv
    problem = _unusable(argv[0] if argv else "")
    if problem:
        print(problem, file=sys.stderr)
        return 2
    parser = _parser(argv[0] if argv else "")
    arguments = parser.parse_args(argv)
    if arguments.module is None:
        parser.print_help()
        return 2
    return _run(arguments)


def _open_streams() -> None:
    """Where a stream is closed (`>&-`), have one that leads nowhere: no socket gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for as long as we run
    if hasattr(sys.stdout, "reconfigure"):  # a name may have characters that the stream has not
        sys.stdout.reconfigure(errors="backslashreplace")


def _unusable(word: str) -> str:
    """What keeps this client from running at all, in one line; or this word from being a command."""
    if sys.version_info < (3, 11):  # noqa: UP036 - pip installs the command on 3.9 and 3.10, too
        version = ".".join(map(str, sys.version_info[:2]))
        return (
            f"remora: the client needs Python 3.11 or later and this is {version}. (Debuggees may be as old "
            'as 3.9.) Install the client elsewhere, for instance with: uv tool install "remora[client]"'
        )
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        names = ", ".join(missing)
        return f'remora: the client needs {names}, not part of a plain install: pip install "remora[client]"'
    return _PLACE if "://" in word or word.isdecimal() else ""


def _run(arguments: argparse.Namespace) -> int:
    """Call `run(arguments)` of the command's module; what goes wrong becomes a sentence and an exit code."""
    from remora_client._errors import ClientError, is_of_output
    from remora_client._text import visible
    from remora_protocol import QualifierError

    try:
        code: int = importlib.import_module(arguments.module).run(arguments)
    except ClientError as error:
        _complain(str(error))
        return error.exit_code
    except QualifierError as error:
        _complain(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `remora ls | head`: nobody reads any more
        _write_nowhere()
        return 0
    except Exception as error:
        if is_of_output(error):
            _write_nowhere()
            _complain(f"The output cannot be written: {error}")
            return 1
        if getattr(arguments, "verbose", 0):
            raise
        _complain(visible(f"A bug in Remora, please report it: {type(error).__name__}: {error}"))
        print("  With -v it says where.", file=sys.stderr)
        return 1
    return code


def _write_nowhere() -> None:
    """What is left of the output is dropped, also when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(text: str) -> None:
    from remora_client._fragments import plain, sentences
    from remora_client._terminal_size import size_of

    width = size_of(sys.stderr).columns if sys.stderr.isatty() else 0
    print(plain(sentences(f"remora: {text}", width)), end="", file=sys.stderr)


class _Paragraphs(argparse.HelpFormatter):
    """Wraps text as it is argparse's way, and keeps blank lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            super(_Paragraphs, self)._fill_text(each, width, indent) for each in text.split("\n\n")
        )


def _parser(word: str = "") -> argparse.ArgumentParser:
    """All of the command line, or as much of it as there is to a line that begins with this word."""
    parser = argparse.ArgumentParser(
        prog="remora",
        description="Debug a Python program that is running somewhere else.",
        epilog=_EPILOG,
        formatter_class=_Paragraphs,
    )
    parser.add_argument("--version", action="version", version=f"remora {__version__}")
    parser.set_defaults(module=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    adders = {
        "ls": _add_ls,
        "attach": _add_attach,
        "listen": _add_listen,
        "exec": _add_exec,
        "dap": _add_dap,
        "snapshot": _add_snapshot,
        "open": _add_open,
        "trust": _add_trust,
        "cert": _add_cert,
        "doctor": _add_doctor,
        "proxy": _add_proxy,
        "demo": _add_demo,
        "tutorial": _add_tutorial,
    }
    for add in [adders[word]] if word in adders else adders.values():
        add(commands)
    return parser


def _command(commands: Any, name: str, module: str, text: str, **options: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text[:1].upper() + text[1:] + ".",
        formatter_class=_Paragraphs,
        **options,
    )
    parser.set_defaults(module=f"remora_client.{module}")
    return parser


def _add_ls(commands: Any) -> None:
    parser = _command(commands, "ls", "_subcommands._ls", "list the processes that can be debugged")
    text = f"{_QUALIFIER}, or @FILE with one on each line; none: this machine's own processes"
    parser.add_argument("qualifiers", nargs="*", metavar="QUALIFIER", help=text)
    parser.add_argument("--json", action="store_true", help="print a list for programs to read")
    parser.add_argument("--watch", action="store_true", help="show it again whenever it changes")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="S",
        help="who has not answered by then is told as silent (default: 10)",
    )
    _add_connecting(parser)


def _add_attach(commands: Any) -> None:
    parser = _command(commands, "attach", "repl", "debug a running program from this terminal")
    text = "where it is, or @FILE with one on each line, or several; none: the only one on this machine"
    parser.add_argument("targets", nargs="*", metavar="QUALIFIER|PID", help=text)
    _add_all(parser)
    parser.set_defaults(listens=False)
    _add_session(parser)
    _add_connecting(parser)


def _add_listen(commands: Any) -> None:
    text = "wait for a program that calls remora.connect(), and debug it"
    parser = _command(commands, "listen", "repl", text)
    text = "where to listen (default: tcp://127.0.0.1:5679)"
    parser.add_argument("target", nargs="?", metavar="[tcp://|tcps://][SECRET@]HOST[:PORT]", help=text)
    parser.set_defaults(listens=True)
    _add_session(parser)
    _add_connecting(parser)


def _add_exec(commands: Any) -> None:
    parser = _command(
        commands, "exec", "_subcommands._exec", "run debugger commands without a terminal, then detach"
    )
    text = "where it is, or @FILE with one on each line, or several; none: the only one on this machine"
    parser.add_argument("targets", nargs="*", metavar="QUALIFIER|PID", help=text)
    _add_all(parser)
    _add_session(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line: results and events")
    parser.add_argument("--timeout", type=_seconds, metavar="S", help="give up after this long")
    group = parser.add_argument_group("at each stop, until the program ends or the time is up")
    for name, what in (("stop", "stop"), ("exception", "exception"), ("uncaught", "uncaught exception")):
        text = f"run this command at every {what}, and let the program go on"
        group.add_argument(f"--on-{name}", action="append", default=[], metavar="CMD", help=text)
    _add_connecting(parser)


def _add_dap(commands: Any) -> None:
    parser = _command(
        commands, "dap", "_subcommands._dap", "be a debug adapter on standard input and output, for editors"
    )
    parser.add_argument(
        "target", nargs="?", metavar="QUALIFIER|PID", help="default: what the editor's attach says"
    )
    text = "serve editors that connect to this loopback address instead"
    parser.add_argument("--listen", metavar="HOST:PORT", help=text)
    _add_choice(parser)
    _add_connecting(parser)


def _add_snapshot(commands: Any) -> None:
    text = "write a program's stacks, values and source to a file, for later"
    parser = _command(commands, "snapshot", "_subcommands._snapshot", text)
    parser.add_argument(
        "target", nargs="?", metavar="QUALIFIER|PID", help="where it is; none: the only one on this machine"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="default: NAME-PID.remora, here")
    _add_choice(parser)
    _add_connecting(parser)


def _add_open(commands: Any) -> None:
    parser = _command(commands, "open", "repl", "look at a snapshot from this terminal")
    parser.add_argument("targets", nargs=1, metavar="FILE", help="what remora snapshot wrote")
    parser.set_defaults(all=False, listens=False, follow="off")
    _add_session(parser)
    _add_connecting(parser)


def _add_trust(commands: Any) -> None:
    module = "_subcommands._trust"
    parser = _command(commands, "trust", module, "the certificates that are trusted by hand")
    parser.set_defaults(action="ls", json=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    listing = _command(actions, "ls", module, "list them")
    listing.set_defaults(action="ls")
    listing.add_argument("--json", action="store_true", help="print a list for programs to read")
    adding = _command(actions, "add", module, "trust a certificate for one host and port, and no other there")
    adding.set_defaults(action="add")
    adding.add_argument("place", metavar="HOST[:PORT]")
    adding.add_argument("digest", nargs="?", metavar="SHA256", help="none: look at the server and ask")
    adding.add_argument("--fingerprint", metavar="SHA256", help="the same")
    removing = _command(actions, "rm", module, "forget what was trusted for a host and port")
    removing.set_defaults(action="rm")
    removing.add_argument("place", metavar="HOST[:PORT]")


def _add_cert(commands: Any) -> None:
    module = "_subcommands._cert"
    parser = _command(commands, "cert", module, "make a certificate for a server")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    new = _command(actions, "new", module, "make a self-signed certificate and its key")
    text = "a name or address by which the server is reached; may be given several times"
    new.add_argument("--host", action="append", required=True, metavar="NAME", dest="hosts", help=text)
    new.add_argument("--out", default=".", metavar="DIR", help="where to put them (default: here)")
    new.add_argument("--days", type=int, default=825, metavar="N", help="how long it is valid (default: 825)")
    new.add_argument("--replace", action="store_true", help="overwrite files that are there")


def _add_doctor(commands: Any) -> None:
    text = "try each step of connecting and say which fails and why"
    parser = _command(commands, "doctor", "_subcommands._doctor", text)
    parser.add_argument("target", nargs="?", metavar="QUALIFIER", help=_QUALIFIER)
    parser.add_argument("--json", action="store_true", help="print a list for programs to read")
    _add_connecting(parser)


def _add_proxy(commands: Any) -> None:
    text = "let a debugger in over standard input and output (the far end of --via)"
    parser = _command(commands, "proxy", "_subcommands._proxy", text)
    parser.add_argument("--stdio", action="store_true", required=True, help="the only way there is")
    parser.add_argument("--pid", type=int, metavar="PID", help="to this process only")


def _add_demo(commands: Any) -> None:
    text = "start a small program and debug it, to see what this is like"
    _add_connecting(_command(commands, "demo", "_learning._demo", text))


def _add_tutorial(commands: Any) -> None:
    text = "learn the debugger by using it, on a small game"
    parser = _command(commands, "tutorial", "_learning._tutorial", text)
    parser.add_argument(
        "--task", type=_task, default=1, metavar="N", help="begin with this task (default: 1)"
    )
    _add_connecting(parser)


def _task(text: str) -> int:
    from remora_client._learning._lessons import LESSONS

    if not text.isdecimal() or not 1 <= int(text) <= len(LESSONS):
        raise argparse.ArgumentTypeError(f"a number from 1 to {len(LESSONS)}")
    return int(text)


def _add_all(parser: argparse.ArgumentParser) -> None:
    text = (
        "every process behind each, or of this machine when none is named: those there now, and those to come"
    )
    parser.add_argument("--all", action="store_true", help=text)
    text = "tell of the processes that come of this one (list), or debug them, too (attach); default: off"
    parser.add_argument("--follow", choices=("off", "list", "attach"), default=None, help=text)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which process, when there are several")
    group.add_argument("--pid", type=int, metavar="PID", help="the one with this process id")
    group.add_argument("--name", metavar="GLOB", help="the one whose name matches, as in 'worker-*'")
    group.add_argument("--force", action="store_true", help="take over from whoever is attached now")
    group = parser.add_argument_group("source")
    group.add_argument(
        "--source", action="append", default=[], metavar="DIR", help="a folder with the program's files"
    )


def _add_session(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("commands")
    group.add_argument(
        "-c", action="append", default=[], dest="commands", metavar="CMD", help="run a debugger command first"
    )
    group.add_argument("-x", dest="file", metavar="FILE", help="run the commands in a file first")
    text = "a program that waits for a client stops where it goes on; any other is paused"
    group.add_argument("--stop-on-entry", action="store_true", help=text)
    _add_choice(parser)
    text = "a lost connection holds the program, as it stands, for so long; we come back to it by ourselves"
    parser.add_argument("--hold", type=_seconds, metavar="S", help=text)


def _add_connecting(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("connecting")
    group.add_argument("--secret-file", metavar="FILE", help="read the secret from the first line of a file")
    group.add_argument(
        "--observe", action="store_true", help="the secret is the observers' one: look, and run no code"
    )
    group.add_argument("--cafile", metavar="FILE", help="trust these authorities (PEM) and not the system's")
    group.add_argument(
        "--fingerprint", metavar="SHA256", help="trust the certificate with this, and no other"
    )
    group.add_argument("--cert", metavar="FILE", help="our own certificate, where the server wants one")
    group.add_argument("--key", metavar="FILE", help="its key, when it is in another file")
    group.add_argument(
        "--legacy-tls", action="store_true", help="also speak TLS 1.0, for an old ptvsd (see docs/ptvsd.md)"
    )
    group.add_argument(
        "--rescue",
        action="store_true",
        help="free an old ptvsd whose last debugger was lost; leaves sys.modules['__main__'] empty there",
    )
    text = "go through a command's standard input and output, at whose other end is `remora proxy --stdio`"
    group.add_argument("--via", metavar="COMMAND", help=text)
    text = "what runs the Python that has Remora at the far side of ssh:// (default: python3)"
    group.add_argument("--remote-python", metavar="COMMAND", help=text)
    group = parser.add_argument_group("output")
    group.add_argument("--no-color", action="store_true", help="no colours (as NO_COLOR)")
    group.add_argument(
        "-v", "--verbose", action="count", default=0, help="show the messages on the wire (-vv: all of them)"
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, more than 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
