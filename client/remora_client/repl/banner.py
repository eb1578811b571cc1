"""What a person sees first and last: what was attached to, how well that is protected, how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client._connecting._foreign import NO_AUTHENTICATION, foreign_name
from remora_client._errors import Gone
from remora_client._fragments import broken_at_blanks, width_of
from remora_client._text import visible

if TYPE_CHECKING:
    from remora_client._fragments import Fragments
    from remora_client._groups._group import Group
    from remora_client._sessions._session import Session
    from remora_protocol import ProcessInfo

__all__ = ["banner", "choice", "farewell", "group_banner", "group_farewell"]

_MOST = 10  # processes that are listed


def banner(session: Session, width: int = 0) -> Fragments:
    """The lines that open a session, none of them broken within a word. `width` 0: as long as it takes."""
    return broken_at_blanks(_opening(session, width), width)


def _opening(session: Session, width: int) -> Fragments:
    out: Fragments = []
    process = session.process
    if process is not None:
        python = f"{_python(process['implementation'])} {process['version']} on {process['platform']}"
        what = "Snapshot of" if session.link.is_snapshot else "Attached to"
        heading = f"{what} {visible(process['name'])}"
        about = f"  pid {process['pid']} · {visible(python)} · {visible(process['cwd'])}"
        fits = not width or width_of(heading + about) <= width
        out += [("class:heading", heading), ("class:dim", f"{'' if fits else chr(10)}{about}\n")]
    else:
        out += [
            ("class:heading", f"Attached to {visible(session.link.address)}"),
            ("class:dim", f"  {foreign_name(session.link.rpc.head) or 'some debug adapter'}, not a Remora\n"),
            ("class:warning", "  note: "),
            ("", f"{NO_AUTHENTICATION}.\n"),
        ]
    out += _connection(session)
    for limit in session.limits:
        out += [("class:warning", "  note: "), ("", f"{visible(limit)}\n")]
    phase = session.state.phase
    if session.link.is_snapshot:
        return [*out, ("class:dim", "  where shows the stack, help lists the commands, Ctrl-D leaves.\n")]
    doing = "It is running" if phase == "running" else f"It is {phase}"
    if session.observes:
        return [*out, ("class:dim", f"  You look on. {doing}: help lists commands, Ctrl-D leaves.\n")]
    keys = "Ctrl-C pauses" if phase == "running" else "w shows the stack"
    out += [("class:dim", f"  {doing}: {keys}, help lists commands, Ctrl-D lets it run on.\n")]
    return out


def farewell(session: Session, *, left: bool, launched: bool = False) -> Fragments:
    """The line that closes it. `left`: the person wanted it so. `launched`: the program ends with it."""
    phase, code = session.state.phase, session.state.exit_code
    if session.link.is_snapshot:
        return [("class:dim", "Closed.\n")]
    if left or phase in ("running", "stopped"):
        if session.observes:
            told = "You look on no more; the program goes on as it did."
        elif session.left_stopped:
            told = "Detached; the program stands still, for whoever attaches next."
        else:
            told = "Detached." if launched else "Detached; the program runs on."
        return [("class:dim", f"{told}\n")]
    if phase == "ended":
        told = "" if code is None else f" with exit code {code}"
        return [("class:heading", f"The program ended{told}.\n")]
    why = session.state.last_words or (session.link.rpc.end or Gone("The connection ended.")).text
    return [("class:error", f"The session is over: {visible(why)}\n")]


def group_banner(group: Group) -> Fragments:
    """The lines that open a session with several processes."""
    count = len(group.members)
    out: Fragments = [("class:heading", f"Attached to {count} process{'es' * (count != 1)}\n")]
    for each in [*group.members.values()][:_MOST]:
        insecure = each.session.link.certificate is None and not each.session.link.address.startswith(
            "local:"
        )
        out += [
            ("", f"  {each.number:>3}  {each}"),
            ("class:insecure", "  not encrypted" if insecure else ""),
        ]
        out.append(("", "\n"))
    if count > _MOST:
        out.append(("class:dim", f"  … and {count - _MOST} more: ps lists them\n"))
    coming = " New ones join by themselves." if group.goes_on else ""
    out.append(
        ("class:dim", f"  ps lists them, proc N looks at one, Ctrl-D leaves and lets them run.{coming}\n")
    )
    return out


def group_farewell(*, left: bool) -> Fragments:
    """The line that closes it. `left`: there were still some."""
    if left:
        return [("class:dim", "Detached; the programs run on.\n")]
    return [("class:heading", "All processes have ended.\n")]


def _connection(session: Session) -> Fragments:
    link = session.link
    out: Fragments = [("", "  ")]
    if link.certificate is not None:
        how = "certificate trusted by hand" if link.certificate_by_hand else "certificate checked"
        out += [
            ("class:secure", "🔒 "),
            ("class:path", visible(link.address)),
            ("class:dim", f"  TLS, {how}"),
        ]
    elif link.is_snapshot:
        out.append(("class:path", visible(link.address)))
    elif link.address.startswith("local:"):
        out += [("class:path", visible(link.address)), ("class:dim", "  this machine, your own user")]
    else:
        out += [("class:path", visible(link.address)), ("class:insecure", "  not encrypted")]
    engine = _engine(session)
    if engine:
        out.append(("class:dim", f" · {visible(engine)}"))
    out.append(("", "\n"))
    return out


def _engine(session: Session) -> str:
    remora = session.state.capabilities.get("remora")
    if not isinstance(remora, dict):
        return ""
    return " · ".join(
        part
        for part in (session.link.server, f"engine: {remora['engine']}" if remora.get("engine") else "")
        if part
    )


def _python(implementation: str) -> str:
    return {"cpython": "CPython", "pypy": "PyPy"}.get(implementation.lower(), implementation)


def choice(processes: list[ProcessInfo]) -> list[str]:
    """The lines to choose a process from."""
    digits = len(str(len(processes)))
    return [
        f"  {number:>{digits}}  {each['pid']:>7}  {visible(each['name'])}  "
        f"{_python(each['implementation'])} {visible(each['version'])}  {visible(each['cwd'])}"
        for number, each in enumerate(processes, 1)
    ]
