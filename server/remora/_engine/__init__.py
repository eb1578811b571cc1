"""The engines: what reports lines to the debugger, one for each kind of Python."""
