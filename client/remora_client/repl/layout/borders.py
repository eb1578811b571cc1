"""The lines between panes, taken and moved with the mouse. On the event loop's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.layout.containers import FloatContainer
from prompt_toolkit.mouse_events import MouseEventType

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.key_binding.key_bindings import NotImplementedOrNone
    from prompt_toolkit.layout.containers import AnyContainer, Float
    from prompt_toolkit.layout.mouse_handlers import MouseHandlers
    from prompt_toolkit.layout.screen import Screen, WritePosition
    from prompt_toolkit.mouse_events import MouseEvent

    from remora_client.repl.layout.arrangement import Border

__all__ = ["MovableBorders"]


class MovableBorders(FloatContainer):
    """What holds the panes. A border that is held follows the mouse until the button is let go.

    Args:
        borders: where they are now.
        move: puts one to a column and row.
        click: one was clicked, and not moved.
    """

    def __init__(
        self,
        content: AnyContainer,
        floats: list[Float],
        *,
        borders: Callable[[], list[Border]],
        move: Callable[[Border, int, int], None],
        click: Callable[[Border], None],
    ) -> None:
        super().__init__(content, floats)
        self._borders = borders
        self._move = move
        self._click = click
        self._held: Border | None = None
        self._moved = False
        self._hear_everywhere: Callable[[], None]

    def write_to_screen(  # noqa: PLR0917  prompt_toolkit's
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        """Draw as usual; then borders hear the mouse before the panes do, and one that is held everywhere."""
        super().write_to_screen(screen, mouse_handlers, write_position, parent_style, erase_bg, z_index)
        for border in self._borders():

            def handler(event: MouseEvent, border: Border = border) -> NotImplementedOrNone:
                return self._on_mouse(event, border)

            mouse_handlers.set_mouse_handler_for_range(
                border.left, border.right, border.top, border.bottom, handler
            )

        def hear_everywhere() -> None:
            width, height = write_position.width, write_position.height
            mouse_handlers.set_mouse_handler_for_range(0, width, 0, height, self._on_mouse_anywhere)

        self._hear_everywhere = hear_everywhere
        if self._held is not None:
            hear_everywhere()

    def _on_mouse(self, event: MouseEvent, border: Border) -> NotImplementedOrNone:
        if event.event_type is MouseEventType.MOUSE_DOWN:
            self._held, self._moved = border, False
            self._hear_everywhere()  # the next event may come before the next drawing
            return None
        return NotImplemented if self._held is None else self._on_mouse_anywhere(event)

    def _on_mouse_anywhere(self, event: MouseEvent) -> NotImplementedOrNone:
        border = self._held
        assert border is not None
        if event.event_type is MouseEventType.MOUSE_UP:
            self._held = None
            if not self._moved:
                self._click(border)
        if event.event_type is MouseEventType.MOUSE_MOVE or self._moved:
            self._moved = True
            self._move(border, event.position.x, event.position.y)
        return None
