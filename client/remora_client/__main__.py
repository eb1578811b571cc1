"""`python -m remora_client`: the same as the command `remora`."""

from __future__ import annotations

import sys

from remora_client.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
