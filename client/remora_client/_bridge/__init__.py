"""The bridge for editors: a debug adapter that does secret, TLS, certificates, processes and sources."""

from remora_client._bridge._adapter import Adapter
from remora_client._bridge._capabilities import CAPABILITIES
from remora_client._bridge._editor import Editor
from remora_client._bridge._listen import listen, parse_listen
from remora_client._bridge._stdio import stdio_editor
from remora_client._bridge._wishes import Wishes

__all__ = ["CAPABILITIES", "Adapter", "Editor", "Wishes", "listen", "parse_listen", "stdio_editor"]
