"""Bytes and messages: sockets, TLS, tunnels, and requests over one connection."""
