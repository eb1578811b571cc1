"""The real old ptvsd: versions 2.2 to 3.2, which speak protocols of their own.

`_handshake` recognises and greets them; `_binary` and `_json` are their two dialects, made of `_records`;
`_debuggee` keeps the manners without which they wedge; `_adapter` is DAP in front of that; `_keeper` is the
process all of it runs in, and `_door` what the client has of it.
"""

from remora_client._ptvsd._door import Door, knock
from remora_client._ptvsd._handshake import greets, incomplete

__all__ = ["Door", "greets", "incomplete", "knock"]
