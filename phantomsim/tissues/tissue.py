"""What a tissue is: a composition, a density, and a group of properties for each modality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from phantomsim.physics.errors import UnitError

Grade = Literal["A", "B", "C"]
"""A: checked in the source; B: named source, not checked again; C: typical estimate."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Properties that one modality sees.

    Parameters
    ----------
    sources
        Keys of the sources; `phantomsim.tissues.citation` spells them out.
    grade
        Trust in the weakest main value of the group.
    """

    sources: tuple[str, ...]
    grade: Grade


@dataclass(frozen=True)
class Relaxation:
    """Relaxation times at one field strength.

    Parameters
    ----------
    field_strength
        Main magnetic field [T].
    t1, t2, t2_star
        Relaxation times [s].
    """

    field_strength: float
    t1: float
    t2: float
    t2_star: float


@dataclass(frozen=True, kw_only=True)
class Mr(Group):
    """What magnetic resonance sees.

    Parameters
    ----------
    proton_density
        Relative to water [1].
    susceptibility
        Absolute volume susceptibility (SI) [1].
    relaxation
        Relaxation times by rising field strength; empty for a solid, which gives no signal.
    diffusion
        Apparent diffusion coefficient [m²/s].
    fat_fraction
        Fraction of the signal that comes from fat [1].
    """

    proton_density: float
    susceptibility: float
    relaxation: tuple[Relaxation, ...] = ()
    diffusion: float = 0.0
    fat_fraction: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Acoustic(Group):
    """What ultrasound sees.

    Parameters
    ----------
    sound_speed
        [m/s].
    density
        At body temperature [kg/m³].
    attenuation
        Power-law prefactor a [dB/(cm MHz^y)]: attenuation = a (f / MHz)^y, the unit that every source uses.
    attenuation_power
        Power y [1].
    backscatter
        Backscatter relative to liver [dB].
    nonlinearity
        B/A [1], None where no value is known.
    """

    sound_speed: float
    density: float
    attenuation: float
    attenuation_power: float
    backscatter: float
    nonlinearity: float | None = None


@dataclass(frozen=True, kw_only=True)
class Optical(Group):
    """What near-infrared light sees, and what heat it turns into pressure.

    Parameters
    ----------
    reduced_scattering_500nm
        Reduced scattering coefficient μs′ at 500 nm [1/m].
    scatter_power
        b of μs′(λ) = μs′(500 nm) (λ / 500 nm)^−b [1].
    anisotropy
        Mean cosine of the scattering angle [1].
    refractive_index
        [1].
    blood_fraction, water_fraction, fat_fraction
        Volume fractions of the chromophores [1].
    oxygen_saturation
        Of the blood [1].
    grueneisen
        Grüneisen parameter at 37 °C [1].
    """

    reduced_scattering_500nm: float
    scatter_power: float
    anisotropy: float
    refractive_index: float
    blood_fraction: float
    oxygen_saturation: float
    water_fraction: float
    fat_fraction: float
    grueneisen: float


@dataclass(frozen=True, kw_only=True)
class Pet(Group):
    """What nuclear medicine sees.

    Parameters
    ----------
    fdg_suv, fdg_suv_deviation
        Mean and standard deviation over people of the standardised uptake of FDG after 60 min [1].
    psma11_suv
        Standardised uptake of PSMA-11 after 60 min [1], None where no value is known.
    fdg_rates
        K1, k2, k3, k4 of the two-tissue model [1/s], None where no value is known.
    fdg_blood_fraction
        Fractional blood volume of that model [1], None where no value is known.
    """

    fdg_suv: float
    fdg_suv_deviation: float
    psma11_suv: float | None = None
    fdg_rates: tuple[float, float, float, float] | None = None
    fdg_blood_fraction: float | None = None


@dataclass(frozen=True, kw_only=True)
class Perfusion(Group):
    """How blood and what it brings reach the tissue; volumes and flows are of whole blood and a volume of tissue.

    Parameters
    ----------
    flow
        [1/s].
    blood_volume
        Volume fraction [1].
    permeability
        Permeability-surface product of small extracellular agents [1/s]; 0 behind the blood-brain barrier.
    interstitial_volume
        Volume fraction that such agents reach outside the vessels [1].
    portal_fraction
        Part of the flow that comes through the bowel and the spleen first [1].
    """

    flow: float
    blood_volume: float
    permeability: float
    interstitial_volume: float
    portal_fraction: float = 0.0


@dataclass(frozen=True)
class Tissue:
    """A tissue or material.

    Parameters
    ----------
    name
        Short name, unique in a phantom.
    title
        What a figure calls it.
    category
        ``"gas"``, ``"liquid"``, ``"soft"``, ``"bone"``, ``"material"``, ``"metal"`` or ``"detector"``.
    density
        [kg/m³].
    mass_fractions
        Mass fraction of each element by its symbol, sum 1 [1].
    sources
        Keys of the sources of composition and density.
    mr, acoustic, optical, pet, perfusion
        Property groups, None where nothing is known.

    Raises
    ------
    UnitError
        If the density is not positive, a fraction is negative, or the fractions do not sum to 1 within 1e-6.
    """

    name: str
    title: str
    category: str
    density: float
    mass_fractions: Mapping[str, float] = field(hash=False)
    sources: tuple[str, ...] = ()
    mr: Mr | None = None
    acoustic: Acoustic | None = None
    optical: Optical | None = None
    pet: Pet | None = None
    perfusion: Perfusion | None = None

    def __post_init__(self) -> None:
        if not 0 < self.density < float("inf"):
            raise UnitError(f"density of {self.name!r} must be positive [kg/m³], got {self.density!r}")
        total = sum(self.mass_fractions.values())
        if min(self.mass_fractions.values(), default=-1.0) < 0 or abs(total - 1) > 1e-6:
            raise UnitError(
                f"mass fractions of {self.name!r} must be non-negative with sum 1, got {dict(self.mass_fractions)} "
                f"with sum {total!r}"
            )

    def diluted(self, density: float) -> Tissue:
        """Return the same matter at another density [kg/m³]; the property groups stay as they are.

        Raises
        ------
        UnitError
            If the density is not positive.
        """
        return replace(
            self, name=f"{self.name}@{density:.6g}", title=f"{self.title}, {density:.4g} kg/m³", density=density
        )

    def with_element(self, element: str, mg_per_ml: float) -> Tissue:
        """Return the tissue with an element dissolved in it, such as 5 mg/ml of iodine in blood.

        The volume stays, so that the mass is added: ρ′ = ρ + c, and each fraction becomes w ρ / ρ′.

        Parameters
        ----------
        element
            Symbol, such as ``"I"``, ``"Gd"``, ``"Ba"``, ``"Au"``.
        mg_per_ml
            Concentration c of the element alone [mg/ml], which is [kg/m³].

        Raises
        ------
        UnitError
            If the concentration is negative.
        """
        if not 0 <= mg_per_ml < float("inf"):
            raise UnitError(f"concentration of {element} must not be negative [mg/ml], got {mg_per_ml!r}")
        density = self.density + mg_per_ml
        fractions = {symbol: w * self.density / density for symbol, w in self.mass_fractions.items()}
        fractions[element] = fractions.get(element, 0.0) + mg_per_ml / density
        return replace(
            self,
            name=f"{self.name}+{element}@{mg_per_ml:.6g}",
            title=f"{self.title} with {mg_per_ml:.4g} mg/ml {element}",
            density=density,
            mass_fractions=fractions,
        )
