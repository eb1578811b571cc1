"""Holding the program and letting it go, and what is done with its threads while they are held."""
