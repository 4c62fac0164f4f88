"""Random mice and rats."""
