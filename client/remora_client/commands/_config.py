"""Settings in files: the person's own, and those of a project once the person trusts them.

The person's are `settings.toml` and `remorarc` in the configuration folder; a project's are `.remora.toml`
and `.remorarc` in the folder that the client is started in. Settings may hold aliases, and a command file may
do anything, so a project's are used only after a yes, which holds for exactly that content.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remora_client._errors import UsageError
from remora_client._places import config_dir, read_json, write_private
from remora_client.commands._files import commands_in
from remora_client.commands._settings import Settings
from remora_client.commands._table import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remora_client.commands._context import Context

__all__ = ["Config", "load_config", "save_setting", "settings_file", "trust_project"]

_PROJECT = (".remora.toml", ".remorarc")
_LARGEST = 1_000_000
_TABLES = ("aliases", "map")


@dataclass
class Config:
    """What the files say, those of the project after the person's own."""

    options: list[tuple[str, str]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    maps: dict[str, str] = field(default_factory=dict)  # the program's folder -> ours
    commands: list[str] = field(default_factory=list)

    def apply(self, ctx: Context) -> None:
        """Put it into a session; the commands are for who runs the session."""
        for name, value in self.options:
            ctx.settings.change(name, value)
        ctx.aliases.update(self.aliases)
        for remote, local in self.maps.items():
            ctx.session.sources.maps.add(remote, local)


def settings_file() -> Path:
    """The person's own settings."""
    return config_dir() / "settings.toml"


def load_config(
    folder: str,
    note: Callable[[str], None],
    ask: Callable[[str, Mapping[str, str]], bool] | None = None,
) -> Config:
    """Read all files that there are. What is wrong in one is noted, and left out.

    Args:
        folder: the project's.
        note: told what the person should know.
        ask: shown the project's folder and files, and asked whether to use them; None: nobody is there.
    """
    config = Config()
    for path in (settings_file(), config_dir() / "remorarc"):
        _read(config, path, _bytes(path), note)
    files = {name: data for name in _PROJECT if (data := _bytes(Path(folder) / name)) is not None}
    if files and _is_trusted(folder, files, note, ask):
        for name, data in files.items():
            _read(config, Path(folder) / name, data, note)
    return config


def _bytes(path: Path) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read(_LARGEST)
    except OSError:
        return None


def _read(config: Config, path: Path, data: bytes | None, note: Callable[[str], None]) -> None:
    if data is None:
        return
    try:
        text = data.decode("utf-8-sig")
        if path.suffix == ".toml":
            import tomllib  # many have no settings of their own

            _read_settings(config, path, tomllib.loads(text))
        else:
            config.commands += [command for _, command in commands_in(text, str(path))]
    except (ValueError, CommandError) as error:  # not UTF-8, or not TOML
        note(f"{path} is left out: {error}")


def _read_settings(config: Config, path: Path, found: dict[str, Any]) -> None:
    tables = {name: found.pop(name, {}) for name in _TABLES}
    trial = Settings()
    for name, value in found.items():
        written = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value
        trial.change(name, str(written))  # raises for what is none
        config.options.append((name, str(written)))
    for name, table in tables.items():
        if not isinstance(table, dict) or not all(isinstance(each, str) for each in table.values()):
            raise CommandError(f"[{name}] takes texts.")
    config.aliases.update(tables["aliases"])
    for remote, local in tables["map"].items():
        config.maps[remote] = os.path.normpath(os.path.join(path.parent, os.path.expanduser(local)))


# -- a project's, after a yes ---------------------------------------------------------------------


def _decisions_file() -> Path:
    return config_dir() / "trusted-projects.json"


def _digest(files: Mapping[str, bytes]) -> str:
    found = hashlib.sha256()
    for name, data in sorted(files.items()):
        found.update(f"{name} {len(data)}\n".encode() + data)
    return found.hexdigest()


def _is_trusted(
    folder: str,
    files: Mapping[str, bytes],
    note: Callable[[str], None],
    ask: Callable[[str, Mapping[str, str]], bool] | None,
) -> bool:
    folder, digest = os.path.realpath(folder), _digest(files)
    known = _decisions().get(folder)
    if isinstance(known, dict) and known.get("sha256") == digest:
        return known.get("trusted") is True
    names = " and ".join(files)
    if ask is None:
        note(f"{names} of this folder: not used, for you have not said that you trust them.")
        return False
    answer = ask(folder, {name: data.decode("utf-8", "backslashreplace") for name, data in files.items()})
    try:
        _decide(folder, digest, trusted=answer)
    except UsageError as error:  # it holds for this session all the same
        note(f"{error.text} You will be asked again.")
    return answer


def trust_project(folder: str) -> list[str]:
    """Trust a project's files as they are now; gives their names."""
    files = {name: data for name in _PROJECT if (data := _bytes(Path(folder) / name)) is not None}
    if files:
        _decide(os.path.realpath(folder), _digest(files), trusted=True)
    return list(files)


def _decisions() -> dict[str, Any]:
    try:
        found = read_json(_decisions_file())
    except (OSError, ValueError):
        return {}  # damaged: everything is asked again
    return found if isinstance(found, dict) else {}


def _decide(folder: str, digest: str, *, trusted: bool) -> None:
    decisions = _decisions() | {folder: {"sha256": digest, "trusted": trusted}}
    try:
        write_private(_decisions_file(), json.dumps(decisions, indent=2).encode())
    except OSError as error:
        raise UsageError(f"{_decisions_file()} cannot be written: {error.strerror}.") from None


# -- the person's own, written --------------------------------------------------------------------


def save_setting(name: str, value: str) -> Path:
    """Put an option into the person's own settings; the rest of the file stays as it is.

    Raises `CommandError`: there is no such option or value, or the file cannot be read or written.
    """
    Settings().change(name, value)
    path = settings_file()
    line = f"{name} = {value if value.isdecimal() else json.dumps(value)}"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        lines = []
    except (OSError, UnicodeDecodeError) as error:  # what cannot be read must not be replaced
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandError(f"{path} cannot be read: {reason}.") from None
    table = next((index for index, each in enumerate(lines) if each.lstrip().startswith("[")), len(lines))
    for index, each in enumerate(lines[:table]):
        if re.match(rf'\s*"?{re.escape(name)}"?\s*=', each):
            lines[index] = line
            break
    else:
        lines.insert(table, line)
    try:
        write_private(path, "".join(f"{each}\n" for each in lines).encode())
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
    return path
