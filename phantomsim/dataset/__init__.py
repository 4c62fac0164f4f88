"""Data sets: recipe, sample, store, run, verify, loaders."""
