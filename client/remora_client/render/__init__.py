"""Source, stacks, tables and values as formatted text: lists of (style class, text). Pure.

Everything that came from the debuggee goes through `visible`, so that no control character of the
program's reaches the terminal. Colours belong to the classes and are chosen in `repl/style.py`.
"""

from remora_client.render._breakpoints import breakpoint_lines, placed_line
from remora_client.render._source import line_count, python, python_line, source_lines
from remora_client.render._stack import folded, place, stack_lines, stop_line, task_lines, thread_lines
from remora_client.render._values import value_line, variable_lines

__all__ = [
    "breakpoint_lines",
    "folded",
    "line_count",
    "place",
    "placed_line",
    "python",
    "python_line",
    "source_lines",
    "stack_lines",
    "stop_line",
    "task_lines",
    "thread_lines",
    "value_line",
    "variable_lines",
]
