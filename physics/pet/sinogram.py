"""Sinograms: pairs of crystals by plane, view and radial position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError
from phantomsim.physics.pet.rings import Rings

Float64 = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sinogram:
    """How the pairs of a scanner's crystals are laid out as (plane, view, radial).

    Around the axis each pair of crystals has a view and a radial position of its own, half as many views as there are
    crystals; neighbouring radial positions interleave two angles. Along the axis, pairs of rings share a plane where
    their ring differences are of one segment and their sums are equal (span 1: each pair has its own plane). Segments
    go from difference 0 outward, 0, 1, −1, 2, …, planes of a segment towards the head.

    Parameters
    ----------
    rings
        The scanner.
    n_radial
        Radial positions kept, around the middle.
    span
        Ring differences to a segment, odd.
    max_ring_difference
        Largest ring difference; None keeps all that fill whole segments.

    Raises
    ------
    ShapeError
        If one of them is impossible.
    """

    rings: Rings
    n_radial: int
    span: int = 1
    max_ring_difference: int | None = None

    def __post_init__(self) -> None:
        n, most = self.rings.n_rings, self.rings.n_crystals - 1
        if not 1 <= self.n_radial <= most:
            raise ShapeError(f"n_radial must be from 1 to {most}, one less than crystals around, got {self.n_radial}")
        if self.span < 1 or self.span % 2 == 0 or self.span > 2 * n - 1:
            raise ShapeError(f"span must be odd, from 1 to {2 * n - 1} for {n} rings, got {self.span}")
        if not 0 <= self.reach < n:
            raise ShapeError(f"max_ring_difference must be from 0 to {n - 1}, got {self.max_ring_difference}")
        if (2 * self.reach + 1) % self.span and self.span > 1:
            raise ShapeError(
                f"max_ring_difference = {self.reach} leaves part of a segment of span {self.span}; take "
                f"{((2 * self.reach + 1) // self.span // 2 * 2 * self.span + self.span - 1) // 2}"
            )

    @property
    def reach(self) -> int:
        """The largest ring difference kept."""
        if self.max_ring_difference is not None:
            return self.max_ring_difference
        half = (self.span - 1) // 2
        return (self.rings.n_rings - 1 - half) // self.span * self.span + half

    @property
    def n_views(self) -> int:
        """Views of half a turn."""
        return self.rings.n_crystals // 2

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, views, radial positions."""
        return len(self.axial), self.n_views, self.n_radial

    @property
    def planes(self) -> Integers:
        """Plane of each pair of rings (first, second), or −1 where the pair is not kept."""
        first, second = np.indices((self.rings.n_rings,) * 2)
        difference, total = second - first, first + second
        segment = (np.abs(difference) + (self.span - 1) // 2) // self.span * np.sign(difference)
        kept = np.abs(difference) <= self.reach
        outward = np.where(segment > 0, 2 * segment - 1, -2 * segment)
        keys = np.where(kept, outward * 2 * self.rings.n_rings + total, -1)
        return np.asarray(np.where(kept, np.searchsorted(np.unique(keys[kept]), keys), -1))

    @property
    def multiplicity(self) -> Integers:
        """Pairs of rings to each plane (plane)."""
        planes = self.planes
        return np.bincount(planes[planes >= 0])

    @property
    def axial(self) -> Float64:
        """Mean heights of the first and the second ring of each plane (plane, 2) [m]."""
        planes, heights = self.planes, self.rings.heights
        kept = planes >= 0
        pairs = np.stack([np.broadcast_to(heights[:, None], planes.shape), np.broadcast_to(heights, planes.shape)])
        sums = [np.bincount(planes[kept], side[kept]) for side in pairs]
        return np.stack(sums, axis=1) / np.bincount(planes[kept])[:, None]

    @property
    def crystals(self) -> Integers:
        """First and second crystal of each view and radial position (view, radial, 2)."""
        view, radial = np.indices((self.n_views, self.n_radial))
        offset = radial - self.n_radial // 2
        n = self.rings.n_crystals
        return np.stack([(view + offset // 2) % n, (view - (offset + 1) // 2 + n // 2) % n], axis=-1)

    def ends(self, depth: float) -> Float64:
        """Return first and second end of each view and radial position (view, radial, 2, 2), (y, x) [m].

        Parameters
        ----------
        depth
            Where in the crystals a line ends, below their faces [m].
        """
        return self.rings.positions(depth)[self.crystals]

    def address(self, first: Integers, second: Integers) -> tuple[Integers, Integers, Integers, npt.NDArray[np.bool_]]:
        """Find pairs of crystals in the sinogram.

        Parameters
        ----------
        first, second
            Numbers of the crystals, ``ring * n_crystals + crystal``.

        Returns
        -------
            Plane (−1 where the sinogram has no place for a pair), view, radial position, and whether the pair's first
            crystal is the place's second: then its time of flight changes sign.
        """
        n = self.rings.n_crystals
        (ring1, crystal1), (ring2, crystal2) = divmod(first, n), divmod(second, n)
        offset = (crystal1 - crystal2 + n // 2) % n
        offset = np.where(offset >= n // 2, offset - n, offset)
        view = (crystal1 - offset // 2) % n
        swapped = view >= n // 2
        offset, view = np.where(swapped, -offset, offset), view % (n // 2)
        planes = self.planes
        plane = np.where(swapped, planes[ring2, ring1], planes[ring1, ring2])
        radial = offset + self.n_radial // 2
        inside = (radial >= 0) & (radial < self.n_radial) & (crystal1 != crystal2)
        return np.where(inside, plane, -1), view, np.clip(radial, 0, self.n_radial - 1), swapped
