"""What the owner of the program has said about its being debugged: hooks, and what they are told."""
