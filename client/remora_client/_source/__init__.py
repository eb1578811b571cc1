"""The debuggee's files on this machine: by name, by content, line by line. Reads files; no network."""
