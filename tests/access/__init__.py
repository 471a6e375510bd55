"""A market with one row of everything, and everybody who might try to get at it."""
