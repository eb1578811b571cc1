"""What is to run inside the process, and the folder through which it answers.

The process runs a script of ours on its main thread, once, at a moment that it chooses itself. That script
starts a thread which enables the server: the program waits for no import, has its Ctrl-C, and may be as deep
in a recursion as it likes. Called on the event loop's thread and on those of a pool.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remora_client._errors import AttachRefused
from remora_client._text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EMBED", "Errand"]

EMBED = "Put remora.enable_attach() into the program, or start it with: python -m remora SCRIPT"

# Whatever goes wrong is written down, and nothing but that: it is not our program. The packages are loaded
# from where they are, so that the program's sys.path stays what it is.
_SCRIPT = """\
import _thread, os, sys

def tell(text):
    with open({report!r} + "~", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace({report!r} + "~", {report!r})

def load(name, path):
    from importlib.util import module_from_spec, spec_from_file_location
    if name not in sys.modules:
        spec = spec_from_file_location(name, path, submodule_search_locations=[os.path.dirname(path)])
        sys.modules[name] = module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except BaseException:
            del sys.modules[name]
            raise

def start():
    try:
        for name, path in {packages!r}:
            load(name, path)
        import remora, warnings
        try:
            with warnings.catch_warnings():  # whoever asked for this has been warned
                warnings.simplefilter("ignore", remora.InsecureWarning)
                remora.enable_attach(**{enable!r})
        except remora.AttachAlreadyEnabledError:
            pass  # its door is where we did not look
        from remora._network._registry import find_folder
        from remora_protocol import socket_path
        tell("+" + socket_path(find_folder() or "", os.getpid()))
    except BaseException as error:
        try:
            tell("-%s: %s" % (type(error).__name__, error))
        except BaseException:
            pass  # nobody waits any more

def begin():
    try:
        os.unlink({script!r})
    except OSError:
        return  # called off, or here already: it may have been asked in two ways
    if sys.implementation.name == "pypy":
        start()  # its engine has to be made on the main thread
        return
    import threading  # here: the thread that imports it first is taken for the main one
    fork = _thread.start_new_thread
    if "gevent.monkey" in sys.modules:
        fork = sys.modules["gevent.monkey"].get_original("_thread", "start_new_thread")
    elif "eventlet.patcher" in sys.modules:
        fork = sys.modules["eventlet.patcher"].original("_thread").start_new_thread
    fork(start, ())

try:
    begin()
except KeyboardInterrupt:
    _thread.interrupt_main()  # it was meant for the program
except BaseException as error:
    tell("-%s: %s" % (type(error).__name__, error))
"""

# Stands in when it was called off: the process may still come, and would complain of a script that is gone.
_NOTHING = """\
import os
try:
    os.unlink({script!r})
    os.rmdir({folder!r})
except OSError:
    pass
"""


class Errand:
    """One attempt to have a process start the server. A context manager: at its end nothing of it is left.

    Args:
        enable: the arguments of `enable_attach`; None: a loopback port with a secret that nobody knows.

    Attributes:
        script: the file that the process is to run.
    """

    def __init__(self, enable: Mapping[str, Any] | None = None) -> None:
        if enable is None:
            enable = {"secret": secrets.token_urlsafe(32), "address": ("127.0.0.1", 0)}
        self.folder = Path(tempfile.mkdtemp(prefix="remora-"))
        self.script = self.folder / "start.py"
        self._report = self.folder / "report"
        self._is_asked = False
        # Names that it defines must not end up in the program's __main__, where it may be run.
        text = _SCRIPT.format(
            report=str(self._report), packages=_packages(), script=str(self.script), enable=dict(enable)
        )
        self.script.write_text(_in_own_namespace(text), encoding="utf-8")

    def __enter__(self) -> Errand:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_asked and self.script.exists():
            text = _NOTHING.format(script=str(self.script), folder=str(self.folder))
            instead = self.folder / "instead"
            instead.write_text(_in_own_namespace(text), encoding="utf-8")
            os.replace(instead, self.script)  # at once: it may be read in this moment
            return
        shutil.rmtree(self.folder, ignore_errors=True)

    def asked(self) -> None:
        """The interpreter was told to run the script, and will complain if it finds none."""
        self._is_asked = True

    @property
    def is_taken(self) -> bool:
        """Whether the process has begun with it."""
        return not self.script.exists()

    def door(self) -> str | None:
        """The path of the process's socket, once it has one. Raises `AttachRefused` when it failed."""
        try:
            text = self._report.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        if text.startswith("+"):
            return text[1:]
        raise AttachRefused(f"The process could not start the server: {visible(text[1:])}", EMBED)


def _in_own_namespace(text: str) -> str:
    return f"exec({text!r}, {{'__name__': 'remora_start'}})\n"


def _packages() -> list[tuple[str, str]]:
    """The server's packages and their files, in the order in which they have to be loaded."""
    found = []
    for name in ("remora_protocol", "remora"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise AttachRefused(f"The package {name} is not installed beside the client.", EMBED)
        found.append((name, os.path.abspath(spec.origin)))
    return found
