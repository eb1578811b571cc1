"""`remora doctor`: each step of connecting, tried in order, with what to do about the one that fails."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from remora_client._connecting._connect import Link, connect
from remora_client._credentials._certificates import describe
from remora_client._errors import ClientError, ConnectError, UsageError
from remora_client._options import connect_options
from remora_client._records import record
from remora_client._targets import via
from remora_client._text import visible
from remora_client._transport import _dial
from remora_protocol import RequestFailed, parse_qualifier

if TYPE_CHECKING:
    from argparse import Namespace

    from remora_client._options import ConnectOptions
    from remora_protocol import ProcessInfo, Qualifier

__all__ = ["run"]

_CLOCKS_DIFFER = (
    30.0  # seconds; more and a new certificate may not be valid yet, and logs are hard to compare
)
_EXPIRES_SOON = dt.timedelta(days=14)
# In the order in which connecting goes through them; `ConnectError.layer` is one of them.
_LAYERS = ("dns", "tcp", "tls", "certificate", "protocol", "login", "process", "debugger")
_TITLES = {
    "dns": "name",
    "tcp": "TCP",
    "tls": "TLS",
    "certificate": "certificate",
    "protocol": "protocol",
    "login": "login",
    "process": "processes",
    "debugger": "debugger",
    "clock": "clock",
}


@record
class Finding:
    """One line of the report. `state` is "ok", "note", "failed" or "skipped"."""

    step: str
    state: str
    text: str
    remedy: str = ""


def run(arguments: Namespace) -> int:
    """Examine, report, and give the exit code that connecting would give."""
    options = connect_options(arguments)
    if (arguments.target is None) is (options.via is None):
        raise UsageError("Say where to look: a qualifier, or --via a command.")
    qualifier = via(options.via) if options.via is not None else parse_qualifier(arguments.target)
    findings, code = asyncio.run(_examine(qualifier, options))
    if arguments.json:
        print(json.dumps([asdict(each) for each in findings], indent=2))
        return code
    for each in findings:
        title = "connection" if each.step == "tcp" and not qualifier.is_network else _TITLES[each.step]
        print(f"{each.state:8}{title:13}{_indented(each.text)}".rstrip())
        if each.remedy:
            print(f"{'':21}{_indented(each.remedy)}")
    return code


def _indented(text: str) -> str:
    """Further lines below the first one, in its column."""
    return text.replace("\n", f"\n{'':21}")


async def _examine(qualifier: Qualifier, options: ConnectOptions) -> tuple[list[Finding], int]:
    layers = [each for each in _LAYERS if qualifier.tls or each not in ("tls", "certificate")]
    if not qualifier.is_network:
        layers.remove("dns")  # "tcp" stands for the socket, or for the command and what it goes through
    findings: list[Finding] = []
    options = options.begin()
    try:
        if qualifier.is_network:
            findings += await _dialled(qualifier, options)
        link = await connect(qualifier, options)
        try:
            findings += _connected(link)
            findings += await _behind(link, qualifier.pid)
        finally:
            await link.close()
    except ConnectError as error:
        return _with_failure(findings, layers, error), error.exit_code
    return findings, 0


async def _dialled(qualifier: Qualifier, options: ConnectOptions) -> list[Finding]:
    addresses = await _dial.resolve(*qualifier.address, options.left)
    shown = ", ".join(dict.fromkeys(str(address[0]) for _, address in addresses))
    name = Finding("dns", "ok", f"{visible(qualifier.host)} is {visible(shown)}")
    started = time.perf_counter()
    _dial.abort(await _dial.dial(*qualifier.address, options.left))
    return [name, Finding("tcp", "ok", f"connected in {_milliseconds(started)}")]


def _with_failure(findings: list[Finding], layers: list[str], error: ConnectError) -> list[Finding]:
    """What came before the layer that failed was fine; what comes after it was not tried."""
    at = layers.index(error.layer) if error.layer in layers else len(findings)
    done = {each.step for each in findings}
    before = [Finding(each, "ok", "") for each in layers[:at] if each not in done]
    failed = Finding(layers[min(at, len(layers) - 1)], "failed", error.text, error.remedy)
    kept = [each for each in findings if each.step in layers[:at]]
    return [*kept, *before, failed, *(Finding(each, "skipped", "") for each in layers[at + 1 :])]


def _connected(link: Link) -> list[Finding]:
    findings = []
    if link.qualifier is not None and not link.qualifier.is_network:
        findings.append(Finding("tcp", "ok", link.address))
    elif link.certificate is not None:
        findings.append(Finding("tls", "ok", link.rpc.encryption))
        certificate = describe(link.certificate)
        trust = "trusted by hand" if link.certificate_by_hand else f"trusted through {certificate.issuer}"
        text, state, remedy = f"{certificate.subject}, {trust}, valid {certificate.dates}", "ok", ""
        end = certificate.not_after
        if end is not None and end - dt.datetime.now(dt.UTC) < _EXPIRES_SOON:
            state, text = "note", f"{text}: that is soon"
            remedy = "On the server's machine, remora cert new makes another; then start the program again."
        findings.append(Finding("certificate", state, text, remedy))
    else:
        remedy = (
            "Anybody on the way can read and change what is debugged: certfile, keyfile and tcps:// help."
        )
        findings.append(Finding("tls", "note", "not encrypted", "" if _is_loopback(link) else remedy))
    kind = link.server if link.is_remora else "a debug adapter, but no Remora"
    findings.append(Finding("protocol", "ok", kind))
    if link.is_remora:
        text = (
            "the secret is right, and the server knows it, too" if link.proved else "no secret is asked for"
        )
        findings.append(Finding("login", "ok" if link.proved or _is_loopback(link) else "note", text))
    return findings


def _is_loopback(link: Link) -> bool:
    if link.qualifier is not None and not link.qualifier.is_network:
        return True
    host = link.qualifier.host if link.qualifier else ""
    return _dial.is_loopback(host)


async def _behind(link: Link, pid: int | None) -> list[Finding]:
    if not link.is_remora:
        return []
    started = time.perf_counter()
    processes = await link.processes()
    findings = [Finding("process", "ok", f"{_listed(processes)}, answered in {_milliseconds(started)}")]
    chosen = pid if pid is not None else processes[0]["pid"] if len(processes) == 1 else None
    if chosen is None:
        return findings
    try:
        await link.open(chosen)
        body = await link.rpc.request("initialize", {"adapterID": "remora"}, link.options.left)
    except (ClientError, RequestFailed) as error:
        return [*findings, Finding("debugger", "note", visible(str(error)))]
    remora = body.get("remora")
    remora = remora if isinstance(remora, dict) else {}
    limits = remora.get("limits")
    findings.append(
        Finding("debugger", "ok", f"process {chosen}, engine {visible(str(remora.get('engine')))}")
    )
    for limit in limits if isinstance(limits, list) else []:
        findings.append(Finding("debugger", "note", visible(str(limit))))
    if remora.get("asksOwner") is True:
        text = (
            "who may attach is decided by the program each time (remora.on_attach), which was not asked now"
        )
        findings.append(Finding("debugger", "note", text))
    clock = remora.get("clock")
    return [*findings, _compare_clocks(clock)] if isinstance(clock, (int, float)) else findings


def _compare_clocks(theirs: float) -> Finding:
    ahead = theirs - time.time()
    if abs(ahead) < _CLOCKS_DIFFER:
        return Finding("clock", "ok", "theirs and ours agree")
    way = "ahead of" if ahead > 0 else "behind"
    text = f"theirs is {abs(ahead):.0f} s {way} ours"
    return Finding("clock", "note", text, "Set the one that is wrong: certificates are judged by the date.")


def _listed(processes: list[ProcessInfo]) -> str:
    if len(processes) == 1:
        process = processes[0]
        return f"{process['pid']} {visible(process['name'])}, {visible(process['state'])}"
    return f"{len(processes)} processes"


def _milliseconds(started: float) -> str:
    return f"{(time.perf_counter() - started) * 1000:.1f} ms"
