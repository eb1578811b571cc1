"""What the client and the server of Remora share: framing, messages, login and names. No I/O."""
