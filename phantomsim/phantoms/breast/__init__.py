"""Random breasts."""
