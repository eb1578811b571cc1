"""Full-screen panes around the prompt: `layout`. Imported when the command runs: a start costs nothing."""

from remora_client.repl.layout.face import LayoutFace

__all__ = ["LayoutFace"]
