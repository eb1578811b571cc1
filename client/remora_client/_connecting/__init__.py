"""From a qualifier to a logged-in link, and what it means when there is none."""
