"""Secrets and certificates: where they come from, and who is asked about them."""
