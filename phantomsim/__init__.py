"""Paired training data for tomographic imaging, made from physics at scale."""

__version__ = "0.1.0"
