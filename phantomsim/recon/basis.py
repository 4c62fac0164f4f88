"""Materials that a body is taken apart into, and how much of them each ray met, from takes by two or more spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
import xarray as xr
from pydantic import AfterValidator, Field

from phantomsim import tissues
from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.decomposition import decompose
from phantomsim.physics.xray.quadrature import few_energies
from phantomsim.physics.xray.response import Response
from phantomsim.physics.xray.transmission import EnergySum
from phantomsim.recon.response import response_of

Float64 = npt.NDArray[np.float64]

SOLUTES: Final = {"iodine": "I", "gadolinium": "Gd", "barium": "Ba", "calcium": "Ca"}
"""Elements that are dissolved in what they are found in: their amount is a concentration in mg/ml."""


def unit_of(name: str) -> str:
    """Return the unit of a basis material's amount: mg/ml of a solute, 1 for the volume fraction of a tissue."""
    return "mg/ml" if name in SOLUTES else "1"


def _checked(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in SOLUTES:
            tissues.get(name)
    if len(set(names)) != len(names):
        raise ValueError(f"basis materials must differ, got {', '.join(names)}")
    return names


Materials = Annotated[
    tuple[str, ...],
    AfterValidator(_checked),
    Field(min_length=2, max_length=4, description="tissues, or the solutes " + ", ".join(SOLUTES)),
]


def attenuation(name: str, response: Response, energy: Float64) -> Float64:
    """Return what one unit of a basis material adds to the line integrals of a scan (energy) [1/m].

    A tissue displaces the background of the air scan, a solute does not: 1 mg/ml of it is 1 kg/m³.
    """
    if name in SOLUTES:
        mu: Float64 = linear_attenuation([(1.0, {SOLUTES[name]: 1.0})], energy)[0]
        return mu
    tissue = tissues.get(name)
    return response.attenuation((tissue.density, tissue.mass_fractions), energy)


@dataclass(frozen=True, eq=False)
class SpectralTakes:
    """Takes of one body by different spectra.

    Parameters
    ----------
    data
        By role.
    responses
        What their signals are made of, in the same order.
    """

    data: Mapping[str, xr.Dataset]
    responses: tuple[Response, ...]

    @property
    def first(self) -> xr.Dataset:
        """One of the takes, which stands for the geometry of all."""
        return next(iter(self.data.values()))


def spectral_takes(products: Mapping[str, xr.Dataset], kind: str, n_needed: int) -> SpectralTakes:
    """Return all products, as takes by different spectra.

    Raises
    ------
    RecipeError
        If there are too few, or one does not say what it is made of; `kind` is the reconstructor that asks.
    """
    if len(products) < n_needed:
        raise RecipeError(
            f"{kind} needs {n_needed} takes by different spectra, in roles such as 'low' and 'high', "
            f"got the roles {sorted(products)}"
        )
    return SpectralTakes(products, tuple(response_of(data, kind) for data in products.values()))


def line_integrals_of_basis(takes: SpectralTakes, kind: str, materials: Materials) -> Array:
    """Return how much of each basis material every ray met.

    Parameters
    ----------
    takes
        Of the same rays.
    kind
        Reconstructor that asks.
    materials
        The basis, no more of it than takes.

    Returns
    -------
        Amount along each ray (material, view, row, column) [m, or m·mg/ml].

    Raises
    ------
    RecipeError
        If the takes are not of the same rays.
    """
    if len({data.attrs.get("geometry") for data in takes.data.values()}) != 1:
        raise RecipeError(f"{kind} by projections needs takes of the same rays; take domain 'image' for these")
    mu, weights = [], []
    for n, response in enumerate(takes.responses):
        attenuations = np.stack([attenuation(name, response, response.energy) for name in materials])
        few = few_energies(EnergySum(attenuations, response.share[:, None]))
        mu.append(few.mu)
        weights.append(few.weights * (np.arange(len(takes.responses)) == n))
    energies = EnergySum(np.concatenate(mu, axis=1), np.concatenate(weights))
    signals = []
    for data, response in zip(takes.data.values(), takes.responses, strict=True):
        corrected = data["line_integral"].transpose("view", "row", "column").data
        signals.append(namespace(corrected).exp(-response.polychromatic(corrected)))
    xp = namespace(*signals)
    return xp.moveaxis(decompose(xp.stack(signals, axis=-1), energies), -1, 0)
