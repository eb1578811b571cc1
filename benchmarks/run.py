"""All benchmarks on all interpreters, and one table: `python -m benchmarks`.

Each row has Remora's figure, debugpy's on the same workload in the same run, and the target for Remora.
"""

from __future__ import annotations

import sys
import time

from benchmarks import (
    _options,
    burst,
    client_start,
    completion,
    crowd,
    enable,
    import_time,
    latency,
    overhead,
)
from benchmarks._figures import Row, show_rows
from benchmarks._pythons import DEBUGPY_VERSION
from benchmarks._target import ROOT

PARTS = {
    "import": import_time.measure,
    "enable": enable.measure,
    "overhead": overhead.measure,
    "latency": latency.measure,
    "burst": burst.measure,
    "crowd": crowd.measure,
}

DOCUMENT = ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- table -->", "<!-- end of table -->"


def main() -> int:
    parser = _options.parser(__doc__)
    parser.add_argument("--only", action="append", choices=[*PARTS, "client"], help="a part (repeatable)")
    parser.add_argument("--document", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    wanted = options.only or [*PARTS, "client"]
    rows: list[Row] = []
    measured = _options.pythons(options)
    for python in measured:
        for part in filter(wanted.__contains__, PARTS):
            begun = time.monotonic()
            rows += PARTS[part](python, options)
            print(f"{python.name} {part}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    if "client" in wanted:
        rows += client_start.measure_client(options)
        rows += completion.measure_completion(options)
    order = {what: index for index, what in reversed(list(enumerate(row.what for row in rows)))}
    rows.sort(key=lambda row: order[row.what])
    heading = (
        f"Remora {_remora_version()} beside debugpy {DEBUGPY_VERSION}; {', '.join(p.name for p in measured)}"
    )
    print(f"{heading}\n")
    if options.document:
        _put_into_document(f"{heading}.\n\n{show_rows(rows)}")
    return min(_options.report(rows, options), 1)


def _remora_version() -> str:
    text = (ROOT / "protocol" / "remora_protocol" / "_version.py").read_text()
    return text.split('"')[-2]


def _put_into_document(table: str) -> None:
    """Between the two marks, which stay."""
    before, rest = DOCUMENT.read_text().split(_BEGIN)
    _, after = rest.split(_END)
    DOCUMENT.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{after}")


if __name__ == "__main__":
    sys.exit(main())
