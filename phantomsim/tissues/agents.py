"""Contrast agents, and what each modality sees of them in a tissue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache

import xraylib

from phantomsim.physics.errors import RecipeError, UnitError
from phantomsim.tissues.library import table
from phantomsim.tissues.tissue import Tissue


@dataclass(frozen=True)
class Agent:
    """A small extracellular contrast agent.

    Parameters
    ----------
    name
        ``"iodine"`` or ``"gadolinium"``.
    element, atoms
        Symbol of the heavy element, and how many atoms of it a molecule has.
    r1, r2
        Relaxivity by field strength [T] → [m³/(mol s)], which is [1/(mM s)]; empty where relaxation is not changed.
    susceptibility
        Change of the volume susceptibility (SI) a concentration [m³/mol].
    """

    name: str
    element: str
    atoms: int
    r1: Mapping[float, float] = field(default_factory=dict, hash=False)
    r2: Mapping[float, float] = field(default_factory=dict, hash=False)
    susceptibility: float = 0.0

    @property
    def molar_mass(self) -> float:
        """Mass of the heavy element in a mole of the agent [kg/mol]."""
        return float(1e-3 * self.atoms * xraylib.AtomicWeight(xraylib.SymbolToAtomicNumber(self.element)))

    def in_tissue(self, tissue: Tissue, concentration: float) -> Tissue:
        """Return a tissue with the agent in it: heavier for X-rays, of faster relaxation for MR.

        Relaxation rates add: 1/T1′ = 1/T1 + r1 c, and so do those of T2 and T2*.

        Parameters
        ----------
        tissue
            What the agent is in.
        concentration
            Moles of agent a volume of tissue [mol/m³], which is [mM].

        Raises
        ------
        UnitError
            If the concentration is negative.
        """
        if not 0 <= concentration < float("inf"):
            raise UnitError(f"concentration of {self.name} must not be negative [mol/m³], got {concentration!r}")
        holding = tissue.with_element(self.element, self.molar_mass * concentration)  # kg/m³ is mg/ml
        if holding.mr is None or not self.r1:
            return holding
        relaxation = tuple(
            replace(
                times,
                t1=1 / (1 / times.t1 + self.r1[times.field_strength] * concentration),
                t2=1 / (1 / times.t2 + self.r2[times.field_strength] * concentration),
                t2_star=1 / (1 / times.t2_star + self.r2[times.field_strength] * concentration),
            )
            for times in holding.mr.relaxation
        )
        susceptibility = holding.mr.susceptibility + self.susceptibility * concentration
        return replace(holding, mr=replace(holding.mr, relaxation=relaxation, susceptibility=susceptibility))


@cache
def agent(name: str) -> Agent:
    """Return a contrast agent of the library.

    Raises
    ------
    RecipeError
        If there is none of that name, naming the nearest one.
    """
    rows = {key: row for key, row in table()["contrast"].items() if "atoms" in row}
    if name not in rows:
        near = get_close_matches(name, rows, 1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known agents: {', '.join(rows)}"
        raise RecipeError(f"unknown contrast agent {name!r}; {hint}")
    row = rows[name]
    fields = (("1p5T", 1.5), ("3T", 3.0))
    r1, r2 = (
        {tesla: row[f"{rate}_per_mM_s_{key}"] for key, tesla in fields if f"{rate}_per_mM_s_{key}" in row}
        for rate in ("r1", "r2")
    )
    return Agent(name, row["element"], row["atoms"], r1, r2, 1e-6 * row.get("chi_ppm_per_mM", 0.0))
