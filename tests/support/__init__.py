"""What the tests are built from: interpreters, programs that run under them, and a raw DAP client."""
