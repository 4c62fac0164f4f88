"""Counter-based random streams: element i of a stream depends on nothing but its key and i.

The samplers load numba when they are first called, so that a `Key` alone costs nothing to import. The scalar functions
behind them, for use inside other kernels, are in `phantomsim.physics.sampling`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from operator import index
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace

if TYPE_CHECKING:
    from phantomsim.physics.kernel import Kernel

Shape = int | tuple[int, ...]


@dataclass(frozen=True)
class Key:
    """The address of a random stream: a seed and a path of purposes.

    Parameters
    ----------
    seed
        Seed of the recipe, any non-negative integer.
    path
        Names and numbers folded in, such as ``(sample, "take", "low")``.
    """

    seed: int
    path: tuple[str | int, ...] = ()

    def fold(self, *names: str | int) -> Key:
        """Return the key of a stream below this one, independent of it and of its siblings."""
        return Key(self.seed, (*self.path, *names))

    @property
    def words(self) -> tuple[int, int, int]:
        """Two key words and one counter word (stream) of 32 bits: 96 bits of BLAKE2b over seed and path."""
        path = [name if isinstance(name, str) else index(name) for name in self.path]
        digest = hashlib.blake2b(json.dumps([index(self.seed), *path]).encode(), digest_size=12).digest()
        k0, k1, stream = (int.from_bytes(digest[i : i + 4], "little") for i in (0, 4, 8))
        return k0, k1, stream

    @property
    def arguments(self) -> tuple[np.uint64, np.uint64, np.uint64]:
        """`words` as the kernels take them."""
        k0, k1, stream = self.words
        return np.uint64(k0), np.uint64(k1), np.uint64(stream)


def uniform(key: Key, shape: Shape, xp: ModuleType = np, dtype: npt.DTypeLike = np.float32) -> Array:
    """Draw uniforms in the open interval (0, 1).

    Parameters
    ----------
    key
        Stream to draw from.
    shape
        Shape of the draws; element i in C order is the same for every shape.
    xp
        numpy or cupy: where to draw.
    dtype
        float32 (23 bits and a half) or float64 (52 bits and a half).

    Returns
    -------
        Draws (shape), never 0 or 1.
    """
    from phantomsim.physics.sampling import real, real64

    return _fill(real.UNIFORM, real64.UNIFORM, key, shape, xp, dtype)


def normal(key: Key, shape: Shape, xp: ModuleType = np, dtype: npt.DTypeLike = np.float32) -> Array:
    """Draw standard normals; the arguments are those of `uniform`.

    Returns
    -------
        Draws (shape) of mean 0 and variance 1; float32 reaches ±6.7, float64 ±8.6.
    """
    from phantomsim.physics.sampling import real, real64

    return _fill(real.NORMAL, real64.NORMAL, key, shape, xp, dtype)


def exponential(key: Key, shape: Shape, xp: ModuleType = np, dtype: npt.DTypeLike = np.float32) -> Array:
    """Draw exponentials of mean 1; the arguments are those of `uniform`.

    Returns
    -------
        Positive draws (shape); float32 lies in [2⁻²⁴, 22.2], float64 in [2⁻⁵³, 36.8].
    """
    from phantomsim.physics.sampling import real, real64

    return _fill(real.EXPONENTIAL, real64.EXPONENTIAL, key, shape, xp, dtype)


def integers(key: Key, shape: Shape, low: int, high: int) -> npt.NDArray[np.int64]:
    """Draw integers from `low` up to but not including `high`, on the host.

    Raises
    ------
    ValueError
        If the range is empty, or above 2³² numbers (the draws would not be even to 1e-6).
    """
    if not 0 < high - low <= 2**32:
        raise ValueError(f"integers need low < high, at most 2**32 apart, got {low} and {high}")
    steps: npt.NDArray[np.int64] = (uniform(key, shape, dtype=np.float64) * (high - low)).astype(np.int64)
    return low + steps


def permutation(key: Key, n: int) -> npt.NDArray[np.int64]:
    """Draw a random order of the numbers 0 to `n` − 1, on the host."""
    order: npt.NDArray[np.int64] = np.argsort(uniform(key, n, dtype=np.float64), kind="stable")
    return order


def poisson(key: Key, mean: Array) -> Array:
    """Draw Poisson counts.

    Parameters
    ----------
    key
        Stream to draw from.
    mean
        Expected counts, any shape, float32 or float64 (other types become float64), from 0 to 1e15.

    Returns
    -------
        Counts, int64, of the shape and on the device of `mean`.

    Raises
    ------
    ValueError
        If a mean is negative, above 1e15 or not a number.
    """
    from phantomsim.physics.sampling.philox import LANES
    from phantomsim.physics.sampling.poisson import LARGEST_MEAN, POISSON

    xp = namespace(mean)
    mean = xp.asarray(mean)
    mean = xp.asarray(mean, mean.dtype if mean.dtype == np.float32 else np.float64, order="C")
    _check_range("mean", mean, LARGEST_MEAN)
    out = xp.empty(mean.shape, np.int64)
    POISSON(-(-out.size // LANES), out.size, *key.arguments, mean.reshape(-1), out.reshape(-1))
    return out


def binomial(key: Key, n: Array, p: Array) -> Array:
    """Draw the number of successes in `n` trials of probability `p`.

    Parameters
    ----------
    key
        Stream to draw from.
    n, p
        Numbers of trials, from 0 to 10¹⁵, and probabilities; any shapes that broadcast.

    Returns
    -------
        Counts, int64, of the common shape, on the device of `n` and `p`.

    Raises
    ------
    ValueError
        If a number of trials or a probability is out of its range.
    """
    from phantomsim.physics.sampling.binomial import BINOMIAL, BLOCK, LARGEST_NUMBER

    xp = namespace(n, p)
    n, p = xp.broadcast_arrays(xp.asarray(n, np.int64), xp.asarray(p, np.float64))
    n, p = xp.array(n, order="C"), xp.array(p, order="C")  # copies: a broadcast array is read-only
    _check_range("n", n, LARGEST_NUMBER)
    _check_range("p", p, 1)
    out = xp.empty(n.shape, np.int64)
    BINOMIAL(-(-out.size // BLOCK), out.size, *key.arguments, n.reshape(-1), p.reshape(-1), out.reshape(-1))
    return out


def _check_range(name: str, x: Array, largest: float) -> None:
    if x.size and not (x.min() >= 0 and x.max() <= largest):  # false for a NaN, too
        raise ValueError(f"{name} must lie between 0 and {largest:g}, got values from {x.min()!s} to {x.max()!s}")


def _fill(single: Kernel, double: Kernel, key: Key, shape: Shape, xp: ModuleType, dtype: npt.DTypeLike) -> Array:
    from phantomsim.physics.sampling.philox import LANES

    out = xp.empty(shape, dtype)
    if out.dtype not in (np.float32, np.float64):
        raise TypeError(f"draws are float32 or float64, got {out.dtype}")
    n_draws = 4 if out.dtype == np.float32 else 2  # of one counter
    n_tiles = -(-out.size // (n_draws * LANES))
    kernel = single if out.dtype == np.float32 else double
    kernel(n_tiles, n_tiles * LANES, *key.arguments, out.reshape(-1))
    return out
