"""What makes the program stop: breakpoints, conditions, exceptions and steps. Mostly pure."""
