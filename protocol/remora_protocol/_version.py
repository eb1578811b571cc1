"""The one version of the distribution; a literal, because importlib.metadata costs 34 ms in the debuggee."""

__version__ = "0.1.0"
