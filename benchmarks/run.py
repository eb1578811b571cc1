"""All benchmarks on all interpreters, and one table: `python -m benchmarks`.

Each row has Remora's figure, debugpy's on the same workload in the same run, and the target for Remora.
"""

from __future__ import annotations

import platform
import sys
import time

from benchmarks import _options, client_start, enable, import_time, latency, overhead
from benchmarks._figures import Row
from benchmarks._pythons import DEBUGPY_VERSION

PARTS = {
    "import": import_time.measure,
    "enable": enable.measure,
    "overhead": overhead.measure,
    "latency": latency.measure,
    "burst": client_start.measure,
}


def main() -> int:
    parser = _options.parser(__doc__)
    parser.add_argument("--only", action="append", choices=[*PARTS, "help"], help="a part of it (repeatable)")
    options = parser.parse_args()
    wanted = options.only or [*PARTS, "help"]
    rows: list[Row] = []
    for python in _options.pythons(options):
        for part in filter(wanted.__contains__, PARTS):
            begun = time.monotonic()
            rows += PARTS[part](python, options)
            print(f"{python.name} {part}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    if "help" in wanted:
        rows += client_start.measure_help(options)
    order = {what: index for index, what in reversed(list(enumerate(row.what for row in rows)))}
    rows.sort(key=lambda row: order[row.what])
    print(f"Remora beside debugpy {DEBUGPY_VERSION}, {platform.system()}\n")
    return min(_options.report(rows, options), 1)


if __name__ == "__main__":
    sys.exit(main())
