"""The frame that a head is drawn in: an atlas in millimetres, and how one head's measures stretch it.

Atlas coordinates are (z, y, x) [mm]: x to the patient's left, y to the back, z to the head, with the origin midway
between the frontal and the occipital pole of the brain, on the plane through the two commissures. Outer limits of the
brain are of the scale of Talairach's atlas, heights of eyes, nose, mouth and chin of that of Gordon's survey; both are
round figures from memory, grade C.

References
----------
J. Talairach, P. Tournoux, "Co-planar Stereotaxic Atlas of the Human Brain", Thieme (1988). C. C. Gordon et al., "2012
Anthropometric Survey of U.S. Army Personnel: Methods and Summary Statistics", Natick/TR-15/007 (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.scene import Part
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import UPRIGHT, Rotation, Shape, capsule, ellipsoid
from phantomsim.tissues import Tissue, get

SIDES: Final = (-1, 1)
"""Right and left: the sign of x."""

Oval = tuple[Triple, Triple]
"""Centre and semi-axes of an ellipsoid in the atlas [mm]."""

PARIETAL: Final[Oval] = ((14.0, 4.0, 0.0), (64.0, 80.0, 65.0))
FRONTAL: Final[Oval] = ((12.0, -6.0, 0.0), (59.0, 78.0, 60.0))
POSTERIOR_FOSSA: Final[Oval] = ((-38.0, 38.0, 0.0), (29.0, 43.0, 57.0))
CAVITY: Final = (168.0, 130.0)
"""Length and breadth of the two large ovals of the cranial cavity together [mm]."""


def middle_fossa(side: int) -> Oval:
    """Return the oval of the cranial cavity that holds a temporal lobe."""
    return ((-22.0, -8.0, side * 36.0), (24.0, 36.0, 28.0))


@dataclass(frozen=True)
class Head:
    """Measures of one head [mm], and shapes of the atlas stretched to them.

    Parameters
    ----------
    length, breadth
        From the forehead to the back, and from side to side, over the skin.
    height
        Stretch along z, over the mean of the other two stretches.
    bone, scalp
        Thickness of the skull's vault, and of the skin and fat over it.
    cortex
        Thickness of the grey matter.
    atrophy
        0 for a tight young brain, 1 for wide sulci and ventricles.
    """

    length: float
    breadth: float
    height: float
    bone: float
    scalp: float
    cortex: float
    atrophy: float

    @property
    def stretch(self) -> Triple:
        """Factors from the atlas to this head along (z, y, x)."""
        wall = 2 * (self.bone + self.scalp)
        y, x = (self.length - wall) / CAVITY[0], (self.breadth - wall) / CAVITY[1]
        return (self.height * float(np.sqrt(y * x)), y, x)

    @property
    def csf(self) -> float:
        """Width of the subarachnoid space over the brain [mm]."""
        return 0.9 + 1.3 * self.atrophy

    def at(self, place: Triple) -> Triple:
        """Return a place of the atlas in this head [m]."""
        z, y, x = (1e-3 * factor * c for factor, c in zip(self.stretch, place, strict=True))
        return (z, y, x)

    def oval(self, oval: Oval, margin: float = 0.0, rotation: Rotation = UPRIGHT, *, x: float | None = None) -> Shape:
        """Return an ellipsoid of the atlas, grown by a margin, or flattened to a semi-axis `x` [mm]."""
        centre, semi_axes = oval
        z, y, w = (1e-3 * (f * a + margin) for f, a in zip(self.stretch, semi_axes, strict=True))
        return ellipsoid(self.at(centre), (z, y, w if x is None else 1e-3 * x), rotation)

    def rod(self, start: Triple, end: Triple, radius: float, *, flat: float = 1.0) -> Shape:
        """Return a capsule with the ends of its axis at two places; `flat` is its breadth over its depth."""
        first, last = np.asarray(self.at(start)), np.asarray(self.at(end))
        y, x = 1e-3 * radius / flat**0.5, 1e-3 * radius * flat**0.5
        z, y0, x0 = (float(c) for c in (first + last) / 2)
        half = float(np.linalg.norm(last - first)) / 2 + 1e-3 * radius
        return capsule((z, y0, x0), (half, y, x), frame(last - first, np.array([0.0, 0.0, 1.0])))


def normal(
    first: npt.NDArray[np.float64] | Triple, second: npt.NDArray[np.float64] | Triple
) -> npt.NDArray[np.float64]:
    """Return the cross product of two vectors (3), ten times as fast as numpy's for arrays of vectors."""
    (a, b, c), (d, e, f) = first, second
    return np.array([b * f - c * e, c * d - a * f, a * e - b * d])


def frame(run: npt.NDArray[np.float64], across: npt.NDArray[np.float64]) -> Rotation:
    """Return the rotation that takes local z to `run`, and local x as near to `across` as is square to it."""
    z = run / sqrt(run @ run)
    if abs(z @ across) > 0.95 * sqrt(across @ across):  # a run along `across`: any other direction will do
        across = np.roll(across, 1)
    x = across - (across @ z) * z
    x = x / sqrt(x @ x)
    rows = [(a, b, c) for a, b, c in zip(z.tolist(), normal(x, z).tolist(), x.tolist(), strict=True)]
    return (rows[0], rows[1], rows[2])


def fill(shapes: Sequence[Shape], tissue: str, name: str) -> list[Part]:
    """Return shapes of one tissue and name."""
    return [Part(shape, get(tissue), name) for shape in shapes]


def bone(head: Head, ovals: Sequence[Oval], cortex: float, inside: Tissue, name: str) -> list[Part]:
    """Return ovals of bone that run into each other, with a compact shell of a thickness [mm] around them all."""
    shells = [Part(head.oval(oval), get("cortical_bone"), name) for oval in ovals]
    return shells + [Part(head.oval(oval, -cortex), inside, name) for oval in ovals]


def chain(head: Head, places: Sequence[Triple], radius: float, cortex: float, name: str) -> list[Part]:
    """Return a bent bone through several places, with a compact shell and spongy bone in it."""
    pairs = list(pairwise(places))
    shells = [head.rod(a, b, radius) for a, b in pairs]
    cores = [head.rod(a, b, radius - cortex) for a, b in pairs]
    return fill(shells, "cortical_bone", name) + fill(cores, "trabecular_bone", name)


def posed(parts: Sequence[Part], level: float, rotation: Rotation) -> list[Part]:
    """Return parts turned about the point of the midline at a level of the atlas [m], which becomes the origin."""
    matrix = np.asarray(rotation)
    centres = (np.array([part.shape.centre for part in parts]) - (level, 0.0, 0.0)) @ matrix.T
    turned = matrix @ np.array([part.shape.rotation for part in parts])
    moved = []
    for part, centre, (first, second, third) in zip(parts, centres.tolist(), turned.tolist(), strict=True):
        shape = replace(part.shape, centre=tuple(centre), rotation=(tuple(first), tuple(second), tuple(third)))
        moved.append(Part(shape, part.tissue, part.name))
    return moved
