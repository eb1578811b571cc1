"""The whole way: the real `remora` command against real programs, on every Python found."""
