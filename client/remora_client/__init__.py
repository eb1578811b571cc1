"""Remora's client: list, attach and debug, from a terminal or from Python."""
