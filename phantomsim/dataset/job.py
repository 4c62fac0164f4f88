"""What a store needs from whoever makes the samples: the sample, and the job that repeats it anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Sample:
    """One finished sample.

    Parameters
    ----------
    arrays
        Labelled arrays by stored name, ``"take/low/line_integral"`` or ``"image/low"``: at least one folder deep, the
        same names, shapes, types and coordinates in every sample of a set. ``units`` and ``long_name`` in their
        attributes are kept.
    parameters
        Every drawn value by dotted path, JSON-able.
    truths
        Tables such as the lesions, JSON-able.
    subject
        Whose data this is; slices and frames of one subject share a split. None: the sample is its own subject.
    """

    arrays: Mapping[str, xr.DataArray]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    truths: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None


@dataclass(frozen=True)
class Job:
    """Everything that makes a data set, small enough to send to each worker.

    Parameters
    ----------
    name
        Name of the data set.
    recipe
        Text of the recipe, kept verbatim in the store.
    digest
        Hash of all that decides a sample's content: not the number of samples, not the splits.
    samples
        How many samples are wanted; a larger number makes an existing set grow.
    make
        ``make(index)`` returns sample `index` and depends on nothing else. A module-level function, or a
        `functools.partial` of one: it travels to workers by pickle.
    seed
        Seed of the recipe, recorded as part of each sample's key.
    splits
        Fraction of the subjects in each split, by name.
    pairs
        The recipe's pairs, each ``{"input": name, "target": name, "extra": [names]}``.
    device
        Where `make` computes, recorded with each shard.
    repeat
        Command that makes one sample again, with ``{index}`` in it; recorded with a sample that fails.
    """

    name: str
    recipe: str
    digest: str
    samples: int
    make: Callable[[int], Sample]
    seed: int = 0
    splits: Mapping[str, float] = field(default_factory=lambda: {"train": 1.0})
    pairs: tuple[Mapping[str, Any], ...] = ()
    device: str = "cpu"
    repeat: str = "phantomsim preview recipe.toml --sample {index}"


def split_position(subject: str) -> float:
    """Return where a subject falls in [0, 1): 53 bits of the BLAKE2b of its name."""
    return (int.from_bytes(hashlib.blake2b(subject.encode(), digest_size=8).digest(), "little") >> 11) / 2**53


def split_at(position: float, splits: Mapping[str, float]) -> str:
    """Return the split that holds a position in [0, 1), the splits side by side in their order.

    Raises
    ------
    ValueError
        If there are no splits.
    """
    if not splits:
        raise ValueError("splits must name at least one split, got none")
    edge, total = 0.0, sum(splits.values())
    for name, fraction in splits.items():
        edge += fraction / total
        if position < edge:
            return name
    return name  # the fractions' rounded sum may end just below 1
