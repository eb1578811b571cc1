"""The debugger's commands: one table, read by the prompt, by `remora exec`, by help and by completion."""

from remora_client.commands import breakpoints as _breakpoints
from remora_client.commands import data as _data
from remora_client.commands import exceptions as _exceptions
from remora_client.commands import explain as _explain
from remora_client.commands import functions as _functions
from remora_client.commands import instructions as _instructions
from remora_client.commands import layout as _layout
from remora_client.commands import logs as _logs
from remora_client.commands import machine as _machine
from remora_client.commands import maps as _maps
from remora_client.commands import objects as _objects
from remora_client.commands import processes as _processes
from remora_client.commands import recording as _recording
from remora_client.commands import running as _running
from remora_client.commands import saved as _saved
from remora_client.commands import session as _session
from remora_client.commands import settings as _options
from remora_client.commands import skipping as _skipping
from remora_client.commands import sources as _sources
from remora_client.commands import stack as _stack
from remora_client.commands import tasks as _tasks
from remora_client.commands import threads as _threads
from remora_client.commands._classify import (
    CommandLine,
    Line,
    PythonLine,
    classify,
    classify_script,
    could_be_python,
    split_commands,
    what_enter_repeats,
)
from remora_client.commands._code import code_in
from remora_client.commands._config import Config, load_config
from remora_client.commands._context import Context, Listing
from remora_client.commands._given import Given, given_commands
from remora_client.commands._own import load_own, own_renderers
from remora_client.commands._run import (
    FAILURES,
    commands_for,
    error_text,
    expanded,
    run_line,
    run_script_line,
    wait_after,
)
from remora_client.commands._settings import Settings
from remora_client.commands._stopped import called_lines, stop_data, stop_lines, value_notes
from remora_client.commands._stopped import marks as source_marks
from remora_client.commands._table import COMMANDS, GROUPS, Command, CommandError, Result, lookup, words
from remora_client.commands.recording import note_line
from remora_client.commands.saved import first_commands, keep_what_changed

__all__ = [
    "COMMANDS",
    "FAILURES",
    "GROUPS",
    "Command",
    "CommandError",
    "CommandLine",
    "Config",
    "Context",
    "Given",
    "Line",
    "Listing",
    "PythonLine",
    "Result",
    "Settings",
    "called_lines",
    "classify",
    "classify_script",
    "code_in",
    "commands_for",
    "could_be_python",
    "error_text",
    "expanded",
    "first_commands",
    "given_commands",
    "keep_what_changed",
    "load_config",
    "load_own",
    "lookup",
    "note_line",
    "own_renderers",
    "run_line",
    "run_script_line",
    "source_marks",
    "split_commands",
    "stop_data",
    "stop_lines",
    "value_notes",
    "wait_after",
    "what_enter_repeats",
    "words",
]

_GROUPS_OF_COMMANDS = (
    _breakpoints,
    _data,
    _exceptions,
    _explain,
    _functions,
    _instructions,
    _layout,
    _logs,
    _machine,
    _maps,
    _objects,
    _recording,
    _running,
    _options,
    _saved,
    _skipping,
    _session,
    _sources,
    _stack,
    _tasks,
    _processes,
    _threads,
)
