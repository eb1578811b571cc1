"""Bytes between this process and others: sockets, TLS, the login, the shared port and the registry."""
