"""Random adult chests."""
