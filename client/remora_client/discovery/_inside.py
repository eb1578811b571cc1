"""What runs in a worker, not in the client: switching Remora on there, and off again.

The engine carries these functions to the worker and their answers back. They are plain: no annotations that
need this package's dependencies, nothing but the standard library and `remora`, which the worker must have.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["switch_off", "switch_on"]

# Set in the worker on the module `remora`, to the folder with the certificate: that it was us who switched
# attach on, so that we may switch it off.
_MARK = "_switched_on_by_discovery"


def switch_on(secret: str, name: str, hosts: list[str], certificate: bytes, key: bytes) -> dict[str, Any]:
    """Enable attach on the first of `hosts` that is an address of this machine. Gives what the client needs.

    What an earlier client left on is replaced; what the program itself enabled is left alone, and said.
    """
    import importlib
    import os
    import tempfile

    try:
        remora = importlib.import_module("remora")
    except ImportError:
        version = ".".join(map(str, sys.version_info[:3]))
        return {"problem": f"its Python {version} ({sys.executable}) has no package remora"}
    switch_off()
    folder = tempfile.TemporaryDirectory(prefix="remora-")  # only its owner can enter; gone with the process
    certfile, keyfile = os.path.join(folder.name, "certificate"), os.path.join(folder.name, "key")
    for path, data in ((certfile, certificate), (keyfile, key)):
        with open(path, "wb") as stream:
            stream.write(data)
    address = None
    problem = "none of its addresses can be listened on"
    for host in hosts:
        try:
            address = remora.enable_attach(secret, (host, 0), certfile, keyfile, name=name)
            break
        except remora.AttachAlreadyEnabledError:
            problem = "the program has enabled attach itself, with a secret of its own"
            break
        except OSError as error:
            problem = f"{host}: {error.strerror or error}"
    os.unlink(keyfile)  # it has been read; the certificate is read again by those who come
    if address is None:
        folder.cleanup()
        return {"problem": problem}
    setattr(remora, _MARK, folder)
    return {"pid": os.getpid(), "port": address[1]}


def switch_off() -> None:
    """Undo `switch_on`, if it was done."""
    remora = sys.modules.get("remora")
    folder = getattr(remora, _MARK, None)
    if remora is not None and folder is not None:
        delattr(remora, _MARK)
        remora.disable_attach()
        folder.cleanup()
