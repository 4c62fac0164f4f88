"""Contrast agents and tracers in a body over time: one injection, seen alike by every modality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from phantomsim.physics.kinetics import Curve, Response, exchange, feng, parker, two_tissue
from phantomsim.spec import Spec
from phantomsim.tissues import Perfusion, Tissue
from phantomsim.tissues.agents import agent

HEMATOCRIT: Final = 0.42
"""Of the library's blood [1]."""
PARKER_DOSE: Final = 0.1
"""Dose that Parker's curve belongs to [mmol/kg]."""
UPTAKE_TIME: Final = 3600.0
"""When the library's uptakes of FDG hold [s]."""
PORTAL_TRANSIT: Final = 15.0
"""Mean time that blood takes through bowel and spleen [s]; a typical figure."""
BLOOD: Final = ("blood", "blood_venous")


class Injection(Spec):
    """A contrast agent or tracer, injected into a vein at 0 s of the phantom's time."""

    agent: Literal["iodine", "gadolinium", "fdg"]
    dose_mmol_kg: Annotated[float, Field(gt=0, le=10)] = Field(
        default=0.1, description="of the agent's molecules a body mass; 1.3 of iodine's is 500 mg/kg; not used by fdg"
    )
    injection_s: Annotated[float, Field(ge=0, le=600)] = Field(default=0.0, description="how long it lasts")
    start_s: float = Field(default=0.0, description="when it begins")


@dataclass(frozen=True)
class Enhancement:
    """What an injection makes of each tissue at each time.

    Extracellular agents follow the two-compartment exchange model with the tissue's perfusion, driven by Parker's
    input, so that iodine and gadolinium of one dose have one curve. FDG follows the two-tissue model with the
    tissue's rates and Feng's input, scaled so that the uptake after an hour is the library's.

    Parameters
    ----------
    injection
        What is injected.
    """

    injection: Injection

    def tissue(self, tissue: Tissue, time: float) -> Tissue:
        """Return a tissue as it is at a time [s]; one without blood, or without known rates of FDG, stays as it is."""
        if self.injection.agent == "fdg":
            return self._traced(tissue, time)
        concentration = self.concentration(tissue, time)
        return agent(self.injection.agent).in_tissue(tissue, concentration) if concentration > 0 else tissue

    def concentration(self, tissue: Tissue, time: float) -> float:
        """Return the moles of an extracellular agent a volume of tissue at a time [mol/m³]."""
        curve = self._curve(tissue)
        if curve is None:
            return 0.0
        return float(curve(time - self.injection.start_s)) * self.injection.dose_mmol_kg / PARKER_DOSE

    def _curve(self, tissue: Tissue) -> Curve | None:
        if _base(tissue) in BLOOD:
            return _blood(self.injection.injection_s)
        if tissue.perfusion is None:
            return None
        return _tissue(self.injection.injection_s, tissue.perfusion)

    def _traced(self, tissue: Tissue, time: float) -> Tissue:
        if tissue.pet is None:
            return tissue
        if _base(tissue) in BLOOD:
            curve = _activity(self.injection.injection_s, None, 1.0)
        elif tissue.pet.fdg_rates is not None:
            curve = _activity(self.injection.injection_s, tissue.pet.fdg_rates, tissue.pet.fdg_blood_fraction or 0.0)
        else:
            return tissue
        suv = tissue.pet.fdg_suv * float(curve(time - self.injection.start_s) / curve(UPTAKE_TIME))
        return replace(tissue, name=f"{tissue.name}@{time:g}s", pet=replace(tissue.pet, fdg_suv=suv))


def _base(tissue: Tissue) -> str:
    return tissue.name.split("+")[0].split("@")[0]


@cache
def _times() -> tuple[float, ...]:
    return (*np.arange(0, 120, 0.25), *np.arange(120, 600, 2.0), *np.arange(600, 7201, 20.0))


@cache
def _blood(duration: float) -> Curve:
    return parker(np.array(_times())).lengthened(duration)


@cache
def _tissue(duration: float, perfusion: Perfusion) -> Curve:
    arterial, plasma = _blood(duration), 1 - HEMATOCRIT
    portal = arterial.answered(Response((1 / PORTAL_TRANSIT,), (1 / PORTAL_TRANSIT,)))
    blood = (1 - perfusion.portal_fraction) * arterial.values + perfusion.portal_fraction * portal.values
    volumes = plasma * perfusion.blood_volume, perfusion.interstitial_volume
    return Curve(arterial.times, blood / plasma).answered(
        exchange(plasma * perfusion.flow, perfusion.permeability, *volumes)
    )


@cache
def _activity(duration: float, rates: tuple[float, float, float, float] | None, blood: float) -> Curve:
    arterial = feng(np.array(_times())).lengthened(duration)
    if rates is None:
        return arterial
    held = arterial.answered(two_tissue(*rates))
    return Curve(held.times, (1 - blood) * held.values + blood * arterial.values)
