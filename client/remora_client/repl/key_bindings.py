"""What keys do at the prompt, beyond editing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.filters import (
    completion_is_selected,
    emacs_insert_mode,
    has_focus,
    is_searching,
    vi_insert_mode,
)
from prompt_toolkit.key_binding import KeyBindings

from remora_client.repl.validator import indentation

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.key_binding.key_processor import KeyPressEvent

__all__ = ["key_bindings"]


def key_bindings(
    goes_on: Callable[[str], bool],
    interrupt: Callable[[], None],
) -> KeyBindings:
    """The bindings.

    Args:
        goes_on: tells whether a text needs another line.
        interrupt: called for Ctrl-C on an empty line.
    """
    bindings = KeyBindings()
    handle = bindings.add
    typing = has_focus("DEFAULT_BUFFER") & (emacs_insert_mode | vi_insert_mode)

    @handle("enter", filter=typing & ~completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        """Run the line, or begin another one when the Python so far is not complete."""
        buffer = event.current_buffer
        text = buffer.document.text
        if goes_on(text):
            if buffer.document.is_cursor_at_the_end or buffer.document.on_last_line:
                buffer.insert_text("\n" + indentation(buffer.document.text_before_cursor))
            else:
                buffer.insert_text("\n")
            return
        buffer.validate_and_handle()

    @handle("enter", filter=has_focus("DEFAULT_BUFFER") & completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        """Take the completion, and go on typing."""
        event.current_buffer.complete_state = None

    @handle("escape", "enter", filter=has_focus("DEFAULT_BUFFER"))
    def _(event: KeyPressEvent) -> None:
        """Run what is there, as it is."""
        event.current_buffer.validate_and_handle()

    @handle("c-c", filter=~is_searching)
    @handle("<sigint>", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        """Clear the line; on an empty one, pause the program."""
        buffer = event.app.current_buffer
        if buffer.text:
            buffer.reset()
            return
        interrupt()

    @handle("tab", filter=typing & ~completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        """Indent at the beginning of a further line; complete anywhere else."""
        buffer = event.current_buffer
        before = buffer.document.current_line_before_cursor
        if "\n" in buffer.text and not before.strip():
            buffer.insert_text("    "[len(before) % 4 :])
        elif buffer.complete_state:
            buffer.complete_next()
        else:
            buffer.start_completion(insert_common_part=True)

    return bindings
