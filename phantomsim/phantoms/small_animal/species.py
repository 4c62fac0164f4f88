"""Masses of mice and rats and of their organs, and how they grow with the animal.

Within a species an organ of reference mass m₀ in an animal of reference mass M₀ weighs ``m₀ (M / M₀)^b`` in one of mass
M. The exponent b is 0.8, and 0.2 for the brain, which hardly grows in an adult. Between the two species below liver,
heart, lungs, spleen and kidneys follow exponents of 0.72 to 0.84. The control males of the rats' table grew from 376
to 453 g, their livers with an exponent of 0.80, heart, lungs and kidneys with about 0.35, their brains not at all.

Rats: all organs are the means of those males, read in the paper's table 4, grade A. Mice: liver, heart, lungs, spleen
and brain are percentages of a male of 29 g, read in an online transcription of a table that was compiled from Japanese
handbooks of 1963 to 1979, grade B; both kidneys are 1.5 % of the body, from memory of Brown et al., grade C.

References
----------
"Absolute and relative organ weights of male and female rats", table 4 in Toxicol. Res. 31 (2015) 403-414,
doi:10.5487/TR.2015.31.4.403. R. P. Brown et al., "Physiological parameter values for physiologically based
pharmacokinetic models", Toxicol. Ind. Health 13 (1997), from memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

SpeciesName = Literal["mouse", "rat"]

EXPONENT: Final = 0.8
BRAIN_EXPONENT: Final = 0.2


@dataclass(frozen=True)
class Species:
    """Reference masses [g], and what an animal may weigh.

    Parameters
    ----------
    mass
        Of the whole reference animal.
    organs
        Of its organs, both sides together, without the blood in the heart's chambers.
    usual, limits
        Masses that are drawn unless the recipe asks for others, and those that the atlas can be stretched to.
    tail
        Length of the tail over that of the body.
    """

    mass: float
    organs: Mapping[str, float] = field(hash=False)
    usual: tuple[float, float]
    limits: tuple[float, float]
    tail: float

    def organ(self, name: str, mass: float) -> float:
        """Return the mass of an organ in an animal of a mass [g]."""
        exponent = BRAIN_EXPONENT if name == "brain" else EXPONENT
        return float(self.organs[name] * (mass / self.mass) ** exponent)


SPECIES: Final[dict[SpeciesName, Species]] = {
    "mouse": Species(
        mass=29.0,
        organs={"liver": 1.50, "kidney": 0.435, "heart": 0.145, "lung": 0.215, "spleen": 0.110, "brain": 0.412},
        usual=(20.0, 35.0),
        limits=(15.0, 50.0),
        tail=0.9,
    ),
    "rat": Species(
        mass=375.9,
        organs={"liver": 11.85, "kidney": 2.81, "heart": 1.26, "lung": 1.45, "spleen": 0.77, "brain": 2.02},
        usual=(200.0, 500.0),
        limits=(150.0, 600.0),
        tail=0.8,
    ),
}
