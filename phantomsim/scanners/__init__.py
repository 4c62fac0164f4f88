"""Scanners: phantom and engine become labelled signal, data and truth."""
