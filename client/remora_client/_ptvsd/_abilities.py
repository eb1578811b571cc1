"""What can be done with an old ptvsd, and why the rest cannot, in DAP's words and for people. Pure."""

from __future__ import annotations

from typing import Any

from remora_client._ptvsd._exceptions import FILTERS
from remora_client._ptvsd._handshake import server_name

__all__ = ["REFUSED", "attach_refusal", "capabilities"]

REFUSED = {
    "restart": "ptvsd cannot start a program again.",
    "restartFrame": "ptvsd cannot run a call again.",
    "stepBack": "Nobody can step back here.",
    "stepInTargets": "ptvsd cannot pick a call to step into; a breakpoint in the function does it.",
    "setFunctionBreakpoints": "ptvsd has no function breakpoints; a breakpoint on its first line does it.",
    "setDataBreakpoints": "ptvsd has no data breakpoints.",
    "dataBreakpointInfo": "ptvsd has no data breakpoints.",
    "terminate": "ptvsd can end a program at once only: kill -9.",
    "terminateThreads": "ptvsd cannot end a thread.",
    "readMemory": "ptvsd shows no memory.",
    "disassemble": "ptvsd shows no byte code.",
    "remora/until": "ptvsd has no until; a temporary breakpoint does it.",
    "remora/return": "ptvsd cannot stop at a return; step out stops behind it.",
}


def capabilities(number: int) -> dict[str, Any]:
    """What can be done, in DAP's words and ours. The client hides what is missing."""
    limits = [
        "The secret and all else goes over the network in clear, unless the server was given a certificate.",
        "It stops all threads or none; one thread alone cannot be resumed or stepped.",
        "No function breakpoints, no until, no return value, no restarting of a call.",
        "Whether an exception is caught is judged by the text of the files, where that is at hand.",
        "A program that waits in C code, for input say, stops at its next line and not before.",
    ]
    if number < 7:
        limits.append("While the program runs there is no stack, no source text and no evaluation.")
    if number < 8:
        limits.append("It cannot jump.")
    else:
        limits.append("On Python 2, output or values that are not UTF-8 make the server drop us.")
    return {
        "supportsConfigurationDoneRequest": True,
        "supportsConditionalBreakpoints": True,
        "supportsHitConditionalBreakpoints": True,
        "supportsLogPoints": True,
        "supportsEvaluateForHovers": True,
        "supportsSetVariable": True,
        "supportsSetExpression": True,
        "supportsCompletionsRequest": True,
        "supportsModulesRequest": True,
        "supportsLoadedSourcesRequest": True,
        "supportsExceptionInfoRequest": True,
        "supportsExceptionFilterOptions": True,
        "supportsExceptionOptions": False,
        "supportsFunctionBreakpoints": False,
        "supportsGotoTargetsRequest": number >= 8,
        "supportsStepInTargetsRequest": False,
        "supportsRestartFrame": False,
        "supportsTerminateRequest": False,
        "supportTerminateDebuggee": True,
        "supportSuspendDebuggee": False,
        "supportsClipboardContext": True,
        "supportsSingleThreadExecutionRequests": False,
        "exceptionBreakpointFilters": FILTERS,
        "remora": {
            "version": "",
            "requests": [],
            "engine": server_name(number),
            "limits": limits,
        },
    }


def attach_refusal(place: str, number: int) -> str:
    """What it means that a debugger is refused: there are two reasons, and no way to tell which."""
    text = (
        f"{place} refuses a debugger. Either somebody is attached, or the last debugger was lost and this "
        "ptvsd believes that it is attached still, which it then does for ever. If nobody is attached, "
    )
    if number == 6:
        return text + (
            "--rescue frees it, at a price: sys.modules['__main__'] is an empty module from then on, so that "
            "what imports __main__ (pickle does) fails."
        )
    return text + "nothing but a restart of the program helps: ptvsd 3.1 and 3.2 have no other way in."
