"""DAP requests answered: each handler turns arguments into calls of the debugger and results into bodies."""
