"""DAP requests answered: each handler turns arguments into calls of the debugger and results into bodies."""

from remora._handlers import (
    breakpoints,
    completion,
    evaluate,
    execution,
    input,
    instructions,
    lifecycle,
    logging,
    login,
    processes,
    sources,
    stack,
    tasks,
    variables,
)
from remora._handlers._arguments import Arguments
from remora._handlers._references import References
from remora._handlers._results import Results
from remora._handlers._table import HANDLERS, Deferred, Handler, When

__all__ = [
    "HANDLERS",
    "Arguments",
    "Deferred",
    "Handler",
    "References",
    "Results",
    "When",
    "breakpoints",
    "completion",
    "evaluate",
    "execution",
    "input",
    "instructions",
    "lifecycle",
    "logging",
    "login",
    "processes",
    "sources",
    "stack",
    "tasks",
    "variables",
]
