"""Measures Remora beside debugpy on the same workloads; see docs/performance.md."""
