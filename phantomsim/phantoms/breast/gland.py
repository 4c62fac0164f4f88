"""Lobes of a breast: ducts that branch from the nipple, the fibrous and glandular tissue around them, and lobules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.breast.fat import scattered, turned
from phantomsim.phantoms.breast.frame import Points
from phantomsim.phantoms.breast.lattice import Lattice, Mask
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.frame import tube
from phantomsim.phantoms.thorax.trees import Branch, grow
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, normal, uniform
from phantomsim.physics.shapes import Shape, along, ellipsoid
from phantomsim.tissues import get

MOST: Final = 6.0
"""Largest factor by which a strand may grow."""


@dataclass(frozen=True)
class Strand:
    """An ellipsoid of glandular tissue that can be made thicker.

    Parameters
    ----------
    shape
        At thickness 1; local z is the direction that does not grow where it lies along a duct.
    along_duct
        Whether it lies along a duct, and grows across it only.
    most
        Largest factor by which it may grow and stay clear of the skin [1].
    """

    shape: Shape
    along_duct: bool
    most: float

    def grown(self, factor: float) -> Shape:
        """Return the ellipsoid with its thickness multiplied by a factor, as far as there is room."""
        factor = min(factor, self.most)
        z, y, x = (factor * a for a in self.shape.semi_axes)
        return ellipsoid(
            self.shape.centre, (self.shape.semi_axes[0] if self.along_duct else z, y, x), self.shape.rotation
        )

    def factors(self, points: Points) -> npt.NDArray[np.float64]:
        """Return the factor at which the ellipsoid reaches each point (…, 3); infinite where it never does."""
        inverse = self.shape.inverse
        z, y, x = np.moveaxis(points @ inverse[:, :3].T + inverse[:, 3], -1, 0)
        across = y * y + x * x
        if self.along_duct:
            with np.errstate(divide="ignore", invalid="ignore"):
                square = np.where(z * z < 1, across / (1 - z * z), np.inf)
        else:
            square = across + z * z
        return np.asarray(np.where(square <= self.most**2, np.sqrt(square), np.inf))


def lobes(
    key: Key, semi_axes: Triple, nipple: Triple, reach: float, counts: tuple[int, int], side: int
) -> list[list[Branch]]:
    """Return a tree of ducts for each lobe, all from the base of the nipple.

    A quarter of the lobes lies around the axis, the others are sectors about it. The quadrant towards the armpit has
    more ends than the one opposite.

    Parameters
    ----------
    key
        Stream to draw from.
    semi_axes
        Of the breast (z, y, x) [m].
    nipple
        Where the ducts end (z, y, x) [m].
    reach
        Canonical radius to which ducts branch [1].
    counts
        Number of lobes, and about the number of ends of all ducts together.
    side
        Sign of x of the armpit.
    """
    n_lobes, n_ends = counts
    room = 2 / 3 * np.pi * float(np.prod(semi_axes)) * reach**3
    apart = 0.72 * (room / n_ends) ** (1 / 3)
    targets = scattered(key.fold("ends"), semi_axes, reach, apart, -0.08 * semi_axes[1])
    unit = targets / np.asarray(semi_axes)
    keep = 0.8 + 0.35 * (unit[:, 0] + side * unit[:, 2])
    targets = targets[uniform(key.fold("quadrant"), len(targets), dtype=np.float64) < keep]
    start, *_ = 2 * np.pi * uniform(key.fold("start"), 1, dtype=np.float64)
    sector = np.mod(np.arctan2(targets[:, 0], targets[:, 2]) + start, 2 * np.pi)
    polar = np.argsort(np.hypot(targets[:, 0], targets[:, 2]) / np.abs(targets[:, 1]), kind="stable")
    n_middle = max(n_lobes // 4, 1)
    middle, around = np.split(polar, [round(len(polar) * n_middle / n_lobes)])
    groups: list[npt.NDArray[np.intp]] = []
    for members, n in ((middle, n_middle), (around, n_lobes - n_middle)):
        groups += np.array_split(members[np.argsort(sector[members], kind="stable")], n)
    trees = []
    for i, members in enumerate(groups):
        angle = 2 * np.pi * i / n_lobes
        root: Triple = (nipple[0] + 0.0018 * np.sin(angle), nipple[1], nipple[2] + 0.0018 * np.cos(angle))
        trees.append(grow(root, targets[members], 0.0011, key.fold("lobe", i)))
    return trees


def ducts(trees: Sequence[Sequence[Branch]]) -> list[Part]:
    """Return the ducts."""
    tissue = get("breast_gland")
    return [Part(tube(b.start, b.end, b.radius), tissue, "duct") for tree in trees for b in tree]


def lobules(key: Key, trees: Sequence[Sequence[Branch]]) -> list[Part]:
    """Return the terminal lobules: an ellipsoid 1.5 to 4 mm long at each end of a duct."""
    last = [b for tree in trees for i, b in enumerate(tree) if all(other.parent != i for other in tree[i + 1 :])]
    n = len(last)
    lengths = 0.00075 + 0.00125 * uniform(key.fold("lengths"), (n, 3), dtype=np.float64)
    directions = normal(key.fold("directions"), (n, 3), dtype=np.float64)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    rotations = turned(directions, normal(key.fold("lean"), (n, 3), dtype=np.float64))
    tissue = get("breast_gland")
    return [
        Part(ellipsoid(b.end, (z, y, x), rotation), tissue, "lobule")
        for b, (z, y, x), rotation in zip(last, lengths.tolist(), rotations, strict=True)
    ]


def strands(key: Key, trees: Sequence[Sequence[Branch]], semi_axes: Triple, margin: float) -> list[Strand]:
    """Return the glandular tissue around the ducts: one ellipsoid along each branch and one around its end.

    Those around the ends point outwards more often than not, as the strands do that ligaments hang on. Thicknesses
    differ between lobes, and between the strands of a lobe by a factor of up to four, so that what grows from them is
    ragged.
    """
    branches = [b for tree in trees for b in tree]
    n = len(branches)
    lobe = np.exp(0.3 * normal(key.fold("lobes"), len(trees), dtype=np.float64).clip(-1.6, 1.6))
    share = np.repeat(lobe, [len(tree) for tree in trees])[:, None, None]
    widths = 0.002 * share * np.exp(0.45 * normal(key.fold("widths"), (n, 2, 3), dtype=np.float64).clip(-1.6, 1.6))
    ends = np.asarray([b.end for b in branches])
    outward = ends / np.asarray(semi_axes) ** 2
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    directions = outward + 0.5 * normal(key.fold("directions"), (n, 3), dtype=np.float64)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    rotations = turned(directions, normal(key.fold("lean"), (n, 3), dtype=np.float64))
    result = []
    for i, branch in enumerate(branches):
        span = np.subtract(branch.end, branch.start)
        length = float(np.linalg.norm(span))
        z, y, x = (np.add(branch.start, branch.end) / 2).tolist()
        direction: Triple = (float(span[0]), float(span[1]), float(span[2]))
        _, b, c = widths[i, 0].tolist()
        shape = ellipsoid((z, y, x), (max(0.62 * length, 0.001), b, c), along(direction))
        result.append(Strand(shape, True, _most(shape, max(b, c), semi_axes, margin)))
        a, b, c = widths[i, 1].tolist()
        shape = ellipsoid(branch.end, (2.0 * a, 0.8 * b, 0.8 * c), rotations[i])
        result.append(Strand(shape, False, _most(shape, max(shape.semi_axes), semi_axes, margin)))
    return result


def _most(shape: Shape, thickest: float, semi_axes: Triple, margin: float) -> float:
    """Return the factor by which a strand may grow until it comes within a margin of an ellipsoid's surface."""
    radius = float(np.linalg.norm(np.divide(shape.centre, semi_axes)))
    room = (1 - radius) * min(semi_axes) - margin
    return min(max(room / thickest, 0.3), MOST)


def thickness(
    lattice: Lattice, inside: Mask, dense: Mask, fat: Mask, strands: Sequence[Strand], fraction: float
) -> tuple[float, float]:
    """Return the factor by which all strands grow so that dense tissue fills a fraction of a breast.

    Each point of the lattice is reached at one factor, the least over all strands; sorted, they say which factor
    reaches as many points as are wanted.

    Parameters
    ----------
    lattice
        Points on which volumes are counted.
    inside
        Points of the breast beneath its skin (z, y, x).
    dense
        Points of ligaments, dense whatever the strands do.
    fat
        Points of fat that lies within the gland, and stays.
    strands
        To be grown.
    fraction
        Dense tissue over all that is beneath the skin [1].

    Returns
    -------
        The factor, and the fraction that it comes to: less than asked for where there is no more room.
    """
    least = np.full(lattice.shape, np.inf)
    for strand in strands:
        block, points = lattice.local(strand.grown(np.inf))
        least[block] = np.minimum(least[block], strand.factors(points))
    reached = np.sort(least[inside & ~dense & ~fat & np.isfinite(least)])
    total, always = int(inside.sum()), int((inside & dense).sum())
    wanted = int(np.clip(round(fraction * total) - always, 0, len(reached) - 1))
    return float(max(reached[wanted], 0.3)), (always + wanted) / total
