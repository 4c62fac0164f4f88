"""Phantoms: what a scanner scans, with exact geometry and a table of every drawn truth."""
