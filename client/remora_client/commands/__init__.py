"""The commands of the prompt and of scripts, declared in one table."""
