"""The distribution: one wheel of three packages, of which the server needs nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

from tests.support.interpreters import INTERPRETERS, ROOT, Interpreter
from tests.support.program import clean_environment

#: One below what the client needs, and the newest.
_CPYTHONS = [one for one in INTERPRETERS if not one.is_pypy]
SOME = [*[one for one in _CPYTHONS if one.version < (3, 11)][:1], *_CPYTHONS[-1:]]


def run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, timeout=100, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def metadata(wheel: Path, names: list[str]) -> Message:
    (name,) = (one for one in names if one.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        return message_from_string(archive.read(name).decode())


def test_the_wheel_has_the_three_packages_whole(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "remora",
        "remora_protocol",
        "remora_client",
    }
    for folder in ("protocol/remora_protocol", "server/remora", "client/remora_client"):
        there = {str(path.relative_to(ROOT / folder.split("/")[0])) for path in (ROOT / folder).rglob("*.py")}
        assert there <= set(names)
        assert f"{folder.split('/')[1]}/py.typed" in names


def test_one_version_one_licence(metadata: Message, names: list[str]) -> None:
    import remora_protocol

    assert metadata["Name"] == "remora"
    assert metadata["Version"] == remora_protocol.__version__
    assert metadata["License-Expression"] == "MIT"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_only_the_client_needs_other_distributions(metadata: Message) -> None:
    assert metadata["Requires-Python"] == ">=3.9"
    assert set(metadata.get_all("Provides-Extra") or []) == {"client", "dask", "ray", "celery"}
    needs = metadata.get_all("Requires-Dist") or []
    assert needs
    assert all("extra == " in need for need in needs), needs
    needs = [need for need in needs if "extra == 'client'" in need]
    assert {need.split(">")[0].split(";")[0].strip().replace("-", "_") for need in needs} == {
        "cryptography",
        "platformdirs",
        "prompt_toolkit",
        "pygments",
    }


def test_the_changelog_knows_the_version() -> None:
    import remora_protocol

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text
    assert remora_protocol.__version__ == "0.1.0" or f"## [{remora_protocol.__version__}]" in text


@pytest.mark.parametrize("python", SOME, ids=str)
def test_the_server_alone_installs_without_anything_else(
    python: Interpreter, wheel: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    made = run(python.path, "-m", "venv", str(venv))
    assert made.returncode == 0, made.stdout + made.stderr
    inside = str(venv / "bin" / "python")
    installed = run(
        inside, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", str(wheel)
    )
    assert installed.returncode == 0, installed.stdout + installed.stderr

    program = (
        "import remora, sys\n"
        "host, port = remora.enable_attach('s3cret', address=('127.0.0.1', 0))\n"
        "remora.disable_attach()\n"
        "print(host, port > 0, 'remora_client' in sys.modules)\n"
    )
    used = run(inside, "-c", program, cwd=tmp_path)
    assert (used.stdout, used.stderr) == ("127.0.0.1 True False\n", "")

    command = run(str(venv / "bin" / "remora"), "ls")
    assert command.returncode == 2
    assert command.stdout == ""
    (line,) = command.stderr.splitlines()
    assert ("3.11" if python.version < (3, 11) else "remora[client]") in line


def test_what_ci_runs_is_what_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\nsh scripts/test\n" in readme
    assert "\nsh scripts/demo\n" in readme
    assert "\nsh scripts/test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_constraints_are_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins == sorted(pins, key=lambda pin: pin.partition("==")[0])
    for pin in pins:
        name, separator, version = pin.partition("==")
        assert separator, pin
        assert name.replace("-", "").replace("_", "").isalnum(), pin
        assert version.replace(".", "").isalnum(), pin
