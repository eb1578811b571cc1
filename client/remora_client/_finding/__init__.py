"""What a command and the scripting API find out about a program with several requests."""
