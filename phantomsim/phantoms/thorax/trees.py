"""Trees of vessels and bronchi that fill a lung, with radii by Murray's law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, uniform
from phantomsim.physics.shapes import Shape

CANDIDATES: Final = 3000
"""Points tried for the ends of a tree."""

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Branch:
    """A straight piece of a tree.

    Parameters
    ----------
    start, end
        Its ends (z, y, x) [m].
    radius
        [m]
    parent
        Index of the branch that it leaves in the list of the tree; −1 for the root.
    """

    start: Triple
    end: Triple
    radius: float
    parent: int


def ends(n: int, hosts: Sequence[Shape], obstacles: Sequence[Shape], key: Key) -> Points:
    """Return up to n points (n, 3) [m] spread over shapes, clear of obstacles and of each other.

    The points keep 0.75 of the distance that they would have on a cubic lattice over the free space, so that a tree
    that ends there leaves no large part of the lung empty.
    """
    low = np.min([np.subtract(s.centre, s.half_extent) for s in hosts], axis=0)
    high = np.max([np.add(s.centre, s.half_extent) for s in hosts], axis=0)
    points = low + uniform(key, (CANDIDATES, 3), dtype=np.float64) * (high - low)
    points = points[np.any([s.holds(points) for s in hosts], axis=0)]
    for obstacle in obstacles:
        points = points[~obstacle.holds(points)]
    volume = float(np.prod(high - low)) * len(points) / CANDIDATES
    apart = 0.75 * (volume / n) ** (1 / 3)
    chosen: list[Points] = []
    for point in points:
        if not chosen or np.linalg.norm(np.asarray(chosen) - point, axis=1).min() > apart:
            chosen.append(point)
            if len(chosen) == n:
                break
    return np.asarray(chosen).reshape(-1, 3)


def grow(root: Triple, targets: Points, radius: float, key: Key) -> list[Branch]:
    """Grow a binary tree from a root to every target.

    A branch that feeds n targets runs part of the way to their mean, and there they are parted across their longest
    direction. Each target takes the same flow, so that Murray's law r³ ∝ flow gives each branch the radius
    ``radius · (n / N)^(1/3)`` and every fork r0³ = r1³ + r2³.

    Parameters
    ----------
    root
        Where the tree starts (z, y, x) [m].
    targets
        Ends (N, 3) [m].
    radius
        Radius of the first branch [m].
    key
        Stream for the lengths and the shares of the branches.

    Returns
    -------
        The 2 N − 1 branches, each after its parent.

    References
    ----------
    C. D. Murray, "The physiological principle of minimum work. I.", Proc. Natl. Acad. Sci. USA 12 (1926),
    doi:10.1073/pnas.12.3.207.
    """
    draws = uniform(key, (2 * len(targets), 2), dtype=np.float64)
    branches: list[Branch] = []
    waiting = [(root, np.asarray(targets), -1)] if len(targets) else []
    while waiting:
        start, points, parent = waiting.pop()
        reach, share = draws[len(branches)]
        at = np.asarray(start)
        n = len(points)
        aim = at + (1.0 if n == 1 else 0.3 + 0.25 * reach) * (points.mean(axis=0) - at)
        end: Triple = (float(aim[0]), float(aim[1]), float(aim[2]))
        branches.append(Branch(start, end, radius * (n / len(targets)) ** (1 / 3), parent))
        if n > 1:
            spread = points - points.mean(axis=0)
            longest = np.linalg.eigh(spread.T @ spread)[1][:, -1]
            longest *= np.sign(longest[np.abs(longest).argmax()])  # an eigenvector's sign differs between libraries
            order = points[np.argsort(spread @ longest, kind="stable")]
            cut = min(max(round(n * (0.3 + 0.4 * share)), 1), n - 1)
            index = len(branches) - 1
            waiting += [(end, order[:cut], index), (end, order[cut:], index)]
    return branches
