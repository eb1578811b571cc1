"""Fuzzing: what reads a stranger's bytes, fed with bytes that nobody in his right mind would send."""
