"""The real old ptvsd: versions 2.2 to 3.2, which speak protocols of their own.

`_signs` recognises and `_handshake` greets them; `_binary` and `_json` are their two dialects, made of
`_records`; `_debuggee` keeps the manners without which they wedge; `_adapter` is DAP in front of that;
`_keeper` is the process all of it runs in, and `_door` what the client has of it. Nothing but the signs is
imported here.
"""

from remora_client._ptvsd._signs import greets, incomplete

__all__ = ["greets", "incomplete"]
