"""A real sshd of our own on loopback: its own port, keys and configuration, and nothing of the machine's.

`find_sshd()` says whether there is one; on Debian it is in the package openssh-server.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType

from tests.support.ports import free_port

__all__ = ["Sshd", "why_not"]


def _find_sshd() -> str | None:
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def why_not() -> str:
    """Why there cannot be one here; "" when there can."""
    missing = [name for name in ("ssh", "ssh-keygen") if shutil.which(name) is None]
    if _find_sshd() is None:
        missing.append("sshd (openssh-server)")
    return f"not installed here: {', '.join(missing)}" if missing else ""


class Sshd:
    """Runs it for one user, with one key.

    Args:
        environment: what those who log in get.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.user = getpass.getuser()
        self.port = free_port()
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in ("host_key", "user_key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True, timeout=30)
        (folder / "authorized_keys").write_text((folder / "user_key.pub").read_text())
        self._write_configuration(environment)
        self.write_known_host("host_key")
        if os.geteuid() == 0:  # where sshd as root keeps its unprivileged half
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        sshd = _find_sshd()
        assert sshd is not None
        self._log = (folder / "log").open("w")
        command = [sshd, "-D", "-e", "-f", str(folder / "sshd_config")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self._log)
        self._wait_until_it_listens()

    def _write_configuration(self, environment: dict[str, str]) -> None:
        pairs = " ".join(f'"{name}={value}"' for name, value in environment.items())
        lines = [
            "ListenAddress 127.0.0.1",
            f"Port {self.port}",
            f"HostKey {self.folder / 'host_key'}",
            f"AuthorizedKeysFile {self.folder / 'authorized_keys'}",
            "PidFile none",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            f"SetEnv {pairs}",
        ]
        (self.folder / "sshd_config").write_text("\n".join(lines) + "\n")

    def write_known_host(self, key: str) -> None:
        """Have the client know the host by this key."""
        kind, text, *_ = (self.folder / f"{key}.pub").read_text().split()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {kind} {text}\n")

    def _wait_until_it_listens(self) -> None:
        for _ in range(200):
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
                return
            except OSError:
                try:
                    self.process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
        raise AssertionError(f"sshd does not listen: {(self.folder / 'log').read_text()}")

    @property
    def ssh(self) -> str:
        """The command ssh, with this server's keys and nothing of the person's."""
        return (
            f"ssh -F none -i {self.folder / 'user_key'} -o IdentitiesOnly=yes -o IdentityAgent=none "
            f"-o UserKnownHostsFile={self.folder / 'known_hosts'} -o GlobalKnownHostsFile=none "
            "-o StrictHostKeyChecking=yes"
        )

    @property
    def qualifier(self) -> str:
        """How it is named."""
        return f"ssh://{self.user}@127.0.0.1:{self.port}"

    def sessions(self) -> list[str]:
        """The processes that it runs for those who are logged in."""
        ours = str(self.process.pid)
        command = ["ps", "--no-headers", "-o", "args", "--ppid", ours]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        return ran.stdout.splitlines()

    def __enter__(self) -> Sshd:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(10)
        self._log.close()
