"""Cylindrical scanners: rings of block detectors around the axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, pi, tan

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rings:
    """Flat blocks of crystals on a cylinder; rings count towards the head, crystals from +x (left) to +y (posterior).

    Block 0 is centred on the +x axis. Crystal ``(ring, crystal)`` is the one numbered ``ring * n_crystals + crystal``.

    Parameters
    ----------
    radius
        From the axis to the middle of a block's face [m].
    n_blocks
        Blocks around the axis.
    n_block_rings
        Rings of blocks along the axis.
    block
        Crystals of a block (axial, transaxial).
    pitch
        Distance of crystals in a block (axial, transaxial) [m].
    depth
        Length of a crystal [m].
    axial_gap
        Gap between rings of blocks [m].
    fill
        Share of the pitch, in each direction, that is crystal and not reflector.
    tapered
        Whether blocks widen outward, so that no wedge is left between them.

    Raises
    ------
    ShapeError
        If a count is below 1, or the number of crystals around is odd.
    UnitError
        If a length is impossible, or the blocks do not fit around the axis.
    """

    radius: float
    n_blocks: int
    n_block_rings: int
    block: tuple[int, int]
    pitch: tuple[float, float]
    depth: float
    axial_gap: float = 0.0
    fill: float = 1.0
    tapered: bool = False

    def __post_init__(self) -> None:
        for name, count in (("n_blocks", self.n_blocks), ("n_block_rings", self.n_block_rings)):
            if count < 1:
                raise ShapeError(f"{name} must be at least 1, got {count}")
        if min(self.block) < 1 or self.n_crystals % 2 or self.n_blocks < 3:
            raise ShapeError(
                f"rings need 3 blocks or more and an even number of crystals around, got {self.n_blocks} blocks "
                f"of {self.block} crystals (axial, transaxial)"
            )
        for name, length in (("radius", self.radius), ("pitch", min(self.pitch)), ("depth", self.depth)):
            if not 0 < length < np.inf:
                raise UnitError(f"{name} of the rings must be positive [m], got {length}")
        if not 0 <= self.axial_gap < np.inf or not 0 < self.fill <= 1:
            raise UnitError(f"axial_gap must not be negative and fill in (0, 1], got {self.axial_gap}, {self.fill}")
        width, room = self.block[1] * self.pitch[1], 2 * self.radius * tan(pi / self.n_blocks)
        if width > room * (1 + 1e-9):
            raise UnitError(
                f"{self.n_blocks} blocks {1e3 * width:.4g} mm wide do not fit around a radius of "
                f"{1e3 * self.radius:.4g} mm, where each has {1e3 * room:.4g} mm"
            )

    @property
    def n_rings(self) -> int:
        """Rings of crystals along the axis."""
        return self.n_block_rings * self.block[0]

    @property
    def n_crystals(self) -> int:
        """Crystals around the axis."""
        return self.n_blocks * self.block[1]

    @property
    def n_all_blocks(self) -> int:
        """Blocks of the whole scanner; block ``ring of blocks * n_blocks + block``."""
        return self.n_blocks * self.n_block_rings

    @property
    def outer_radius(self) -> float:
        """Radius of a cylinder that holds all crystals [m]."""
        half = self.block[1] * self.pitch[1] / 2
        half *= (1 + self.depth / self.radius) if self.tapered else 1
        return hypot(self.radius + self.depth, half)

    @property
    def length(self) -> float:
        """Length along the axis, from the first crystal's edge to the last one's [m]."""
        return self.n_block_rings * self.block[0] * self.pitch[0] + (self.n_block_rings - 1) * self.axial_gap

    @property
    def heights(self) -> Float64:
        """Middle of each ring (ring) [m]."""
        within = self.pitch[0] * (np.arange(self.block[0]) - (self.block[0] - 1) / 2)
        blocks = (self.block[0] * self.pitch[0] + self.axial_gap) * (
            np.arange(self.n_block_rings) - (self.n_block_rings - 1) / 2
        )
        return np.asarray((blocks[:, None] + within).ravel())

    @property
    def angles(self) -> Float64:
        """Angle of each crystal's outward normal, which is its block's (crystal) [rad]."""
        return np.repeat(2 * pi / self.n_blocks * np.arange(self.n_blocks), self.block[1])

    def positions(self, depth: float = 0.0) -> Float64:
        """Return a point below the middle of each crystal's face (crystal, 2), (y, x) [m].

        Parameters
        ----------
        depth
            How far below the face [m].
        """
        along = self.pitch[1] * (np.arange(self.block[1]) - (self.block[1] - 1) / 2)
        aside, angles = np.tile(along, self.n_blocks), self.angles
        out = self.radius + depth
        return np.stack(
            [out * np.sin(angles) + aside * np.cos(angles), out * np.cos(angles) - aside * np.sin(angles)], axis=1
        )
