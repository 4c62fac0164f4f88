"""Phantoms whose surfaces are known by numbers alone: random organs and meshes."""
