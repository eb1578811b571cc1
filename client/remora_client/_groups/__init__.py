"""Many sessions as one: where processes come from, and what is shared among them."""
