"""Shows what an environment costs, as a table."""
