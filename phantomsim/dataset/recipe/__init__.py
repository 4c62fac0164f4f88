"""Recipes: what a data set is made of, as data, validated before any work."""

from phantomsim.dataset.recipe.recipe import Recipe

__all__ = ["Recipe"]
