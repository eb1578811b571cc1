"""What the command `remora` does, one module for each of its commands."""
