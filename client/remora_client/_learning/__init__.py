"""`remora demo` and `remora tutorial`, and the game that both debug."""
