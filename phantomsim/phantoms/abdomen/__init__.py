"""Random abdomen-like sections."""
