"""What the bridge announces before it knows the server: what a Remora can do.

An editor asks for this first and says only later where to attach. A server that can do other things is made
known by a `capabilities` event.
"""

from __future__ import annotations

from typing import Any

__all__ = ["CAPABILITIES", "changed_capabilities"]

_CONDITION = (
    "Names of exception types with commas between, patterns like json.* and !Name to leave one out; "
    "or an expression on $exc."
)


def _filter(name: str, label: str, description: str, *, default: bool = False) -> dict[str, Any]:
    return {
        "filter": name,
        "label": label,
        "default": default,
        "description": description,
        "supportsCondition": True,
        "conditionDescription": _CONDITION,
    }


CAPABILITIES: dict[str, Any] = {
    **dict.fromkeys(
        (
            "supportTerminateDebuggee",
            "supportSuspendDebuggee",
            "supportsBreakpointLocationsRequest",
            "supportsCancelRequest",
            "supportsClipboardContext",
            "supportsCompletionsRequest",
            "supportsConditionalBreakpoints",
            "supportsConfigurationDoneRequest",
            "supportsDelayedStackTraceLoading",
            "supportsDisassembleRequest",
            "supportsEvaluateForHovers",
            "supportsExceptionFilterOptions",
            "supportsExceptionInfoRequest",
            "supportsFunctionBreakpoints",
            "supportsGotoTargetsRequest",
            "supportsHitConditionalBreakpoints",
            "supportsLoadedSourcesRequest",
            "supportsLogPoints",
            "supportsModulesRequest",
            "supportsRestartFrame",
            "supportsSetExpression",
            "supportsSetVariable",
            "supportsSingleThreadExecutionRequests",
            "supportsStepInTargetsRequest",
            "supportsSteppingGranularity",
            "supportsTerminateRequest",
            "supportsValueFormattingOptions",
        ),
        True,
    ),
    "completionTriggerCharacters": [".", "[", "'", '"'],
    "supportedChecksumAlgorithms": ["SHA256"],
    "exceptionBreakpointFilters": [
        _filter("raised", "Raised exceptions", "Stops where an exception is raised."),
        _filter(
            "uncaught", "Uncaught exceptions", "Stops when nothing has caught an exception.", default=True
        ),
        _filter(
            "userUnhandled", "User-unhandled exceptions", "Stops when an exception leaves your own code."
        ),
    ],
}


def changed_capabilities(announced: dict[str, Any], real: dict[str, Any]) -> dict[str, Any]:
    """What has to be said anew. What the server does not mention, it cannot do."""
    changed = {key: value for key, value in real.items() if key != "remora" and announced.get(key) != value}
    for key, value in announced.items():
        if key not in real:
            changed[key] = False if value is True else []
    return changed
