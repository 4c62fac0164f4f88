"""The job that makes a recipe's data set."""

from __future__ import annotations

from functools import partial

from phantomsim.dataset.job import Job
from phantomsim.dataset.recipe import Recipe
from phantomsim.dataset.sample import make_sample


def job_of(recipe: Recipe, samples: int | None = None, device: str = "cpu") -> Job:
    """Return the job of a recipe, ready for `run`, `verify` and `repair`.

    Parameters
    ----------
    recipe
        What to make.
    samples
        How many samples; None takes the recipe's number.
    device
        Where to compute, ``"cpu"`` or ``"cuda:n"``.
    """
    return Job(
        name=recipe.name,
        recipe=recipe.text,
        digest=recipe.digest,
        samples=recipe.samples if samples is None else samples,
        make=partial(make_sample, recipe, device=device),
        seed=recipe.seed,
        splits=recipe.splits,
        pairs=tuple(pair.model_dump() for pair in recipe.outline.pairs),
        device=device,
    )
