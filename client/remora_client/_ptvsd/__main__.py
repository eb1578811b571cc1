"""`python -m remora_client._ptvsd`: the process that holds a connection. `_door` starts it."""

from __future__ import annotations

from remora_client._ptvsd._keeper import main

main()
