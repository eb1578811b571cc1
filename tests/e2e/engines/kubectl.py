"""A stand-in for kubectl: `get pods` says what a file holds, `exec` runs the command here, as if in the pod.

A pod has a registry of its own, as a container has: the folder named like it, beside the file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(words: list[str]) -> None:
    folder = Path(os.environ["STAND_IN_KUBECTL"])
    if words[:2] == ["get", "pods"]:
        assert words[2:4] == ["-n", "shop"], words
        assert words[4:] in (["-o", "json"], ["-o", "json", "-l", "app=web"]), words
        print((folder / "pods.json").read_text())
        return
    assert words[:4] == ["exec", "-i", "-n", "shop"], words
    pod, option, container, dashes, *command = words[4:]
    assert (option, container, dashes) == ("-c", "web", "--"), words
    if not (folder / pod).is_dir():
        sys.exit(f'Error from server (NotFound): pods "{pod}" not found')
    assert command == ["python3", "-m", "remora", "proxy", "--stdio"], command
    here = str(folder / pod)
    environment = {**os.environ, "XDG_RUNTIME_DIR": here, "TMPDIR": here}
    os.execve(sys.executable, [sys.executable, *command[1:]], environment)


if __name__ == "__main__":
    main(sys.argv[1:])
