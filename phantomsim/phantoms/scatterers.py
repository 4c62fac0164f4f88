"""Ultrasound scatterers: points of a Poisson process whose strength follows the tissue they lie in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from phantomsim.phantoms.phantom import Phantom
from phantomsim.physics.array import to_device, to_host
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Triple
from phantomsim.physics.random_fields.lumps import cells
from phantomsim.physics.rng import Key, exponential, normal
from phantomsim.spec import Spec
from phantomsim.tissues import Tissue

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

MOST: Final = 100_000_000
"""Scatterers that one call may make: 1.6 GB."""


class Scattering(Spec):
    """How many scatterers there are, and how their strengths differ; about ten a resolution cell make full speckle."""

    per_cell: Annotated[float, Field(gt=0, le=1000)] = Field(default=10.0, description="expected a resolution cell")
    cell_mm3: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=0.1, description="volume of a resolution cell: pulse length times the beam's widths"
    )
    amplitude: Literal["constant", "normal", "exponential"] = Field(
        default="normal", description="law of the amplitudes: of one size, Gaussian, or Laplacian with rare strong ones"
    )

    @property
    def density(self) -> float:
        """Expected scatterers a volume [1/m³]."""
        return self.per_cell / (1e-9 * self.cell_mm3)


@dataclass(frozen=True, eq=False)
class Scatterers:
    """Points that scatter sound.

    Parameters
    ----------
    positions
        (scatterer, 3), (z, y, x) [m], float64.
    amplitudes
        (scatterer), float32; its mean square in a tissue is the tissue's backscatter relative to liver [1].
    """

    positions: Float64
    amplitudes: Float32


def scatterers(phantom: Phantom, scattering: Scattering, lower: Triple, upper: Triple, key: Key) -> Scatterers:
    """Return the scatterers of a phantom in a box.

    They belong to the world: another box with the same key holds the same points where both overlap. A tissue's
    backscatter sets the amplitudes; one without acoustic properties has no scatterers.

    Parameters
    ----------
    phantom
        What is scanned.
    scattering
        Density and law of amplitudes.
    lower, upper
        Corners of the box (z, y, x) [m].
    key
        Stream of the points and amplitudes.

    Raises
    ------
    ShapeError
        If the box is empty, or would hold more than `MOST` points.
    """
    low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    if not (low < high).all():
        raise ShapeError(f"a box needs lower < upper (z, y, x) [m], got {lower} and {upper}")
    expected = scattering.density * float(np.prod(high - low))
    if expected > MOST:
        raise ShapeError(f"the box would hold {expected:.3g} scatterers, more than {MOST:.0e}: lower per_cell")
    points, laws = [], []
    for cell, places in cells(key.fold("scatterers"), scattering.density, low, high):
        within = ((places >= low) & (places < high)).all(axis=1)
        points.append(places[within])
        laws.append(_amplitudes(scattering, cell.fold("amplitude"), len(places))[within])
    positions = np.concatenate(points)
    material = to_host(phantom.materials(to_device(positions, phantom.device)))
    strength = np.array([_strength(tissue) for tissue in phantom.tissues], dtype=np.float32)[material]
    heard = strength > 0
    return Scatterers(positions[heard], (np.concatenate(laws) * strength)[heard])


def _amplitudes(scattering: Scattering, key: Key, n: int) -> Float32:
    """Return n amplitudes of mean square 1; Gaussian and Laplacian ones have random signs."""
    if scattering.amplitude == "constant":
        return np.ones(n, np.float32)
    if scattering.amplitude == "normal":
        return np.asarray(normal(key, n))
    first, second = exponential(key, (2, n))
    return np.asarray((first - second) / np.float32(2**0.5))


def _strength(tissue: Tissue) -> float:
    if tissue.acoustic is None:
        return 0.0
    decibel: float = tissue.acoustic.backscatter
    return 10 ** (decibel / 20)
