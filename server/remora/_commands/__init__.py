"""What `python -m remora` does: run a program, own a port for others, be the far end of a pipe."""
