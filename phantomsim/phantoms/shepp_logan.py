"""The Shepp–Logan head: ellipses or ellipsoids whose values add up."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import Annotated, Final, Literal

from pydantic import Field

from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Scene
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape, cylinder, ellipsoid, turn
from phantomsim.tissues import get

Row = tuple[float, float, float, float, float, float, float, float]

SECTION: Final[tuple[Row, ...]] = (
    (0.69, 0.92, 1.0, 0.0, 0.0, 0.0, 0.0, 2.0),
    (0.6624, 0.874, 1.0, 0.0, -0.0184, 0.0, 0.0, -0.98),
    (0.11, 0.31, 1.0, 0.22, 0.0, 0.0, -18.0, -0.02),
    (0.16, 0.41, 1.0, -0.22, 0.0, 0.0, 18.0, -0.02),
    (0.21, 0.25, 1.0, 0.0, 0.35, 0.0, 0.0, 0.01),
    (0.046, 0.046, 1.0, 0.0, 0.1, 0.0, 0.0, 0.01),
    (0.046, 0.046, 1.0, 0.0, -0.1, 0.0, 0.0, 0.01),
    (0.046, 0.023, 1.0, -0.08, -0.605, 0.0, 0.0, 0.01),
    (0.023, 0.023, 1.0, 0.0, -0.606, 0.0, 0.0, 0.01),
    (0.023, 0.046, 1.0, 0.06, -0.605, 0.0, 0.0, 0.01),
)
"""Semi-axes and centre (x, y, z), y to the front, turn [deg] from x to the front, value; Shepp & Logan 1974."""

TOFT: Final = (1.0, -0.8, -0.2, -0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
"""Values of higher contrast for the same ellipses, Toft 1996."""

HEAD: Final[tuple[Row, ...]] = (
    (0.69, 0.92, 0.9, 0.0, 0.0, 0.0, 0.0, 2.0),
    (0.6624, 0.874, 0.88, 0.0, 0.0, 0.0, 0.0, -0.98),
    (0.41, 0.16, 0.21, -0.22, 0.0, -0.25, 108.0, -0.02),
    (0.31, 0.11, 0.22, 0.22, 0.0, -0.25, 72.0, -0.02),
    (0.21, 0.25, 0.5, 0.0, 0.35, -0.25, 0.0, 0.02),
    (0.046, 0.046, 0.046, 0.0, 0.1, -0.25, 0.0, 0.02),
    (0.046, 0.023, 0.02, -0.08, -0.65, -0.25, 0.0, 0.01),
    (0.046, 0.023, 0.02, 0.06, -0.65, -0.25, 90.0, 0.01),
    (0.056, 0.04, 0.1, 0.06, -0.105, 0.625, 90.0, 0.02),
    (0.056, 0.056, 0.1, 0.0, 0.1, 0.625, 0.0, -0.02),
)
"""The ellipsoids of the three-dimensional head, columns as in `SECTION`; Kak & Slaney 1988, table 3.2, with errata."""

LONG_AXIS: Final = 1.84
"""Length of the skull's long axis in the units of the tables."""


class SheppLogan(PhantomSpec):
    """The Shepp-Logan head: its section in the original or in Toft's values, or the 3D head of Kak and Slaney.

    A value of 1 is water of 1000 kg/m³, other values are water of another density, and 0 is vacuum, as outside.

    References
    ----------
    L. A. Shepp and B. F. Logan, "The Fourier reconstruction of a head section", IEEE Trans. Nucl. Sci. 21 (1974),
    doi:10.1109/TNS.1974.6499235. P. Toft, "The Radon transform: theory and implementation", PhD thesis, Technical
    University of Denmark (1996), p. 199. A. C. Kak and M. Slaney, "Principles of computerized tomographic imaging",
    IEEE Press (1988), p. 102, doi:10.1137/1.9780898719277.
    """

    kind: Literal["shepp-logan"]
    variant: Literal["original", "toft", "3d"] = "original"
    size_mm: Annotated[float, Field(gt=0, le=2000)] = Field(
        default=230.0, description="long axis of the skull, front to back"
    )
    length_mm: Annotated[float, Field(gt=0, le=10000)] = Field(default=400.0, description="length along z of a section")

    def generate(self, key: Key) -> Phantom:
        """Return the phantom; nothing about it is random."""
        rows = HEAD if self.variant == "3d" else SECTION
        values = TOFT if self.variant == "toft" else tuple(row[-1] for row in rows)
        codes = tuple(round(100 * value) for value in values)
        tissues = [replace(get("air"), name="vacuum", title="Vacuum", density=1e-9)]
        sums = {}
        for total in SUMS[self.variant]:
            sums[total] = len(tissues)
            tissues.append(get("water").diluted(10.0 * total))
        names = tuple(f"ellipse {i}" for i in range(1, len(rows) + 1))
        return Phantom(tuple(tissues), Scene(tuple(self._shape(row) for row in rows), names, codes, sums))

    def _shape(self, row: Row) -> Shape:
        scale = 1e-3 * self.size_mm / LONG_AXIS
        a, b, c, x, front, z, degrees, _ = (float(number) for number in row)
        rotation = turn("z", -degrees * pi / 180)  # y points backwards here
        if self.variant == "3d":
            return ellipsoid((z * scale, -front * scale, x * scale), (c * scale, b * scale, a * scale), rotation)
        return cylinder((0.0, -front * scale, x * scale), (5e-4 * self.length_mm, b * scale, a * scale), rotation)


SUMS: Final = {
    "original": (200, 102, 100, 101, 103, 104),
    "toft": (100, 20, 10, 30, 40),
    "3d": (200, 102, 100, 103, 104, 106),
}
"""The sums of values that occur, in hundredths; 0 is the background."""
