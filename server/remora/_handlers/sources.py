"""Files and modules, and their texts."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from remora._handlers._places import read_source
from remora._handlers._table import handles
from remora._inspection._statics import own_dict
from remora_protocol import RequestFailed

if TYPE_CHECKING:
    from remora._handlers._arguments import Arguments
    from remora._sessions._session import Session

__all__ = ["source"]


@handles("source", looks_only=True)
def source(session: Session, arguments: Arguments) -> dict[str, Any]:
    """A file's text, as it was loaded."""
    sources = session.server.sources
    wanted = arguments.child("source")
    number = wanted.number("sourceReference", 0) or arguments.number("sourceReference", 0)
    filename = sources.by_reference(number) if number else None
    if filename is None:
        path = read_source(sources, wanted)
        found = sources.resolve(path)
        if not found:
            raise RequestFailed("not-found", f"No loaded file is called {path}.")
        filename = found[0]
    text = sources.text(filename)
    if text is None:
        raise RequestFailed("not-found", f"There is no source text for {sources.display_path(filename)}.")
    return {"content": text, "mimeType": "text/x-python"}


@handles("loadedSources", looks_only=True, capability="supportsLoadedSourcesRequest")
def loaded_sources(session: Session, _arguments: Arguments) -> dict[str, Any]:
    """Every file that is known to have run."""
    sources = session.server.sources
    found = []
    for filename in sorted(sources.loaded(), key=sources.display_path):
        path = sources.display_path(filename)
        name = path.replace("\\", "/").rpartition("/")[2] or path
        # Without checksums: those of a thousand files would take seconds.
        body: dict[str, Any] = {"name": name, "path": path, "sourceReference": sources.reference(filename)}
        if session.server.debugger.filters.rule(filename) is not None:
            body["presentationHint"] = "deemphasize"
        found.append(body)
    return {"sources": found}


@handles("modules", looks_only=True, capability="supportsModulesRequest")
def modules(session: Session, arguments: Arguments) -> dict[str, Any]:
    """The program's modules."""
    debugger = session.server.debugger
    rows = []
    for name, module in sorted(sys.modules.copy().items(), key=lambda item: str(item[0])):
        names = own_dict(module) if issubclass(type(module), ModuleType) else None
        if names is None:
            continue
        row: dict[str, Any] = {"id": name, "name": name}
        file, version = names.get("__file__"), names.get("__version__")
        if type(file) is str:
            row["path"] = session.server.sources.display_path(file)
            row["isUserCode"] = debugger.filters.rule(file) is None
        if type(version) is str:
            row["version"] = version
        rows.append(row)
    start = arguments.number("startModule", 0)
    count = arguments.number("moduleCount", 0) or len(rows)
    return {"modules": rows[start : start + count], "totalModules": len(rows)}
