"""What the program prints, logs and reads, and what happens in it, on the way from and to a client."""
