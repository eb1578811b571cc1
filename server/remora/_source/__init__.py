"""Which files this program runs, which of their lines can stop, and whose code they are."""
