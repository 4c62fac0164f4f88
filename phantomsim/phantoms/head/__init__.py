"""Random adult heads."""
