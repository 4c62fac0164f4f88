"""Counter-based random streams: element i of a stream depends on nothing but its key and i.

The samplers load numba when they are first called, so that a `Key` alone costs nothing to import. The scalar functions
behind them, for use inside other kernels, are in `phantomsim.physics.sampling`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array

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
        text = "\x1f".join([str(self.seed), *(f"{'i' if isinstance(n, int) else 's'}{n}" for n in self.path)])
        digest = hashlib.blake2b(text.encode(), digest_size=12).digest()
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
