"""Bowtie filters: thin for the central ray, thicker towards the edge of the fan, where the patient is thin.

The filter is one more material in the beam, with the same path length for every view. It fills the air scan too, so it
leaves no trace in line integrals but noise, and hardening that differs by column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.xray.attenuation import Material, linear_attenuation
from phantomsim.physics.xray.correction import WATER
from phantomsim.physics.xray.spectrum import ALUMINIUM

Float64 = npt.NDArray[np.float64]
Size = Literal["small", "medium", "large"]

DIAMETERS: Final[Mapping[Size, float]] = {"small": 0.16, "medium": 0.24, "large": 0.32}
"""Water that each size flattens [m]: 16 and 32 cm are the dose phantoms of head and body; the choice is grade C."""
N_ANGLES: Final = 513


@dataclass(frozen=True, eq=False)
class Bowtie:
    """A filter whose thickness depends on the fan angle.

    Parameters
    ----------
    material
        Density and composition.
    angles
        Fan angles, rising (angle) [rad].
    thickness
        Path length of a ray in the plane of the fan (angle) [m]; between angles it is interpolated, beyond them it
        stays.

    Raises
    ------
    ShapeError
        If the two differ in number, or there are none.
    UnitError
        If angles do not rise within ±π/2, or a thickness is negative or more than 1 m.
    """

    material: Material
    angles: Float64
    thickness: Float64

    def __post_init__(self) -> None:
        if self.angles.ndim != 1 or self.angles.shape != self.thickness.shape or not self.angles.size:
            raise ShapeError(
                f"angles and thickness of a bowtie must match, got {self.angles.shape} and {self.thickness.shape}"
            )
        if not np.all(np.diff(self.angles) > 0) or not np.all(np.abs(self.angles) < np.pi / 2):
            raise UnitError("angles of a bowtie must rise, within ±π/2 [rad]; tables in degrees must be turned first")
        if not np.all((self.thickness >= 0) & (self.thickness <= 1)):
            raise UnitError("thickness of a bowtie must be 0 to 1 m; tables in mm must be turned first")

    def lengths(self, fan_angles: Float64, cone_angles: Float64 | float = 0.0) -> Float64:
        """Return the path length of rays in the filter.

        Parameters
        ----------
        fan_angles
            From the central plane (…) [rad].
        cone_angles
            Out of the plane of the fan, of a shape that broadcasts against `fan_angles` [rad].

        Returns
        -------
            Path lengths (…) [m].
        """
        lengths: Float64 = np.interp(fan_angles, self.angles, self.thickness) / np.cos(cone_angles)
        return lengths


def flattening_bowtie(
    diameter: float,
    source_to_axis: float,
    material: Material = ALUMINIUM,
    *,
    energy: float = 60.0,
    thinnest: float = 0.5e-3,
    thickest: float = 40e-3,
) -> Bowtie:
    """Return the filter that makes a cylinder of water on the axis look flat at one energy.

    ``t(γ) = thinnest + (L(0) − L(γ)) μ_water / μ_filter`` with the chord of the cylinder L(γ), cut at `thickest`;
    behind both, all rays that meet the cylinder are equally strong.

    Parameters
    ----------
    diameter
        Of the cylinder [m].
    source_to_axis
        [m].
    material
        Of the filter.
    energy
        At which it is flat [keV].
    thinnest, thickest
        Thickness for the central ray, and the largest that there is [m].

    Raises
    ------
    UnitError
        If the cylinder does not fit inside the source's circle, or the thicknesses do not rise.
    """
    if not 0 < diameter < 2 * source_to_axis:
        raise UnitError(f"diameter must be positive and inside the source's circle [m], got {diameter!r}")
    if not 0 <= thinnest < thickest:
        raise UnitError(f"thinnest must not be negative nor reach thickest [m], got {thinnest!r} and {thickest!r}")
    water, filtering = linear_attenuation([WATER, material], np.array([energy]))[:, 0]
    edge = float(np.arcsin(diameter / (2 * source_to_axis)))
    angles = edge * np.sin(np.linspace(-np.pi / 2, np.pi / 2, N_ANGLES))  # dense at the edge, where the chord drops
    chords = 2 * np.sqrt(np.maximum((diameter / 2) ** 2 - (source_to_axis * np.sin(angles)) ** 2, 0))
    thickness = thinnest + (diameter - chords) * water / filtering
    return Bowtie(material, angles, np.minimum(thickness, thickest))


def bowtie_of(size: Size, source_to_axis: float, material: Material = ALUMINIUM) -> Bowtie:
    """Return a bowtie by name: the one that flattens the water of `DIAMETERS`.

    Raises
    ------
    UnitError
        If there is no such size.
    """
    if size not in DIAMETERS:
        raise UnitError(f"size of a bowtie must be {', '.join(DIAMETERS)}, got {size!r}")
    return flattening_bowtie(DIAMETERS[size], source_to_axis, material)


def behind(quanta: Float64, mu: Float64, lengths: Float64) -> Float64:
    """Return the photons behind filters: how strong and hard each column's beam is.

    Parameters
    ----------
    quanta
        Photons by energy before them (energy), in any unit.
    mu
        Attenuation of the filters (filter, energy) [1/m].
    lengths
        Path length in each (…, filter) [m].

    Returns
    -------
        Photons (…, energy).
    """
    depth: Float64 = np.einsum("...f,fe->...e", lengths, mu)
    return quanta * np.exp(-depth)
