"""How phantoms move: what a recipe says of head, chest and whole-body motion, and the motions drawn from it.

Default ranges are round figures of healthy adults from memory, grade C: quiet breaths move the domes of the diaphragm
by one or two centimetres and the chest by some millimetres; heads on a support drift by millimetres and nod by degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import cos, pi, sin
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.placement import PositiveRange, Range, between
from phantomsim.physics.grid import Triple
from phantomsim.physics.motion.cardiac import Cardiac
from phantomsim.physics.motion.cycles import BreathHold, Breathing, Heartbeat, IrregularBreathing
from phantomsim.physics.motion.linear import Bulk, Rigid
from phantomsim.physics.motion.motion import Composition, Motion
from phantomsim.physics.motion.respiratory import Bulge, LungExpansion
from phantomsim.physics.motion.signal import Constant, Signal, Step, Total, drift, nod, tremor
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape
from phantomsim.spec import Spec

Probability = Annotated[float, Field(ge=0, le=1)]
Row = dict[str, Any]


class _Ranges(Spec):
    """Ranges, each [smallest, largest] and none negative."""

    @model_validator(mode="after")
    def _check(self) -> _Ranges:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple) and not 0 <= value[0] <= value[1]:
                raise ValueError(f"{name} must be [smallest, largest], none negative, got {list(value)}")
        return self

    def _drawn(self, key: Key) -> Row:
        names = [name for name in type(self).model_fields if isinstance(getattr(self, name), tuple)]
        return {name: between(key.fold(name), getattr(self, name)) for name in names}


class HeadMotion(_Ranges):
    """A head that drifts, trembles, and may nod once."""

    drift_mm: Range = Field(default=(0.5, 2.0), description="largest slow shift along each axis")
    drift_deg: Range = Field(default=(0.3, 1.5), description="largest slow turn about each axis")
    tremor_mm: Range = Field(default=(0.0, 0.2), description="largest shift by tremor, 4 to 6 Hz")
    nod_deg: Range = Field(default=(2.0, 6.0), description="angle of a sudden nod, chin down")
    nod_probability: Probability = Field(default=0.3, description="that there is a nod")
    within_s: PositiveRange = Field(default=(60.0, 60.0), description="time within which the nod may come")

    def motion(self, pivot: Triple, key: Key) -> tuple[Motion, Row]:
        """Return the motion about a pivot [m], and the row of truths that describes it."""
        drawn = self._drawn(key)
        size, angle, shiver = 1e-3 * drawn["drift_mm"], pi / 180 * drawn["drift_deg"], 1e-3 * drawn["tremor_mm"]
        shifts = [
            Total((drift(key.fold("drift", a), size), tremor(key.fold("tremor", a), shiver))) for a in ("z", "y", "x")
        ]
        angles: list[Signal] = [drift(key.fold("turn", a), angle) for a in ("z", "y", "x")]
        nods = between(key.fold("nods"), (0.0, 1.0)) < self.nod_probability
        row = {"part": "motion", "kind": "rigid", **drawn, "pivot_mm": [1e3 * c for c in pivot], "nod_s": None}
        if nods:
            sudden = nod(key.fold("nod"), pi / 180 * drawn["nod_deg"], drawn["within_s"])
            angles[2] = Total((angles[2], sudden))
            row["nod_s"] = sudden.begin
        return Rigid(pivot, (shifts[0], shifts[1], shifts[2]), (angles[0], angles[1], angles[2])), row


class BulkMotion(_Ranges):
    """A whole body that shifts, turns and stretches once, smoothly; volumes are kept."""

    shift_mm: Range = Field(default=(1.0, 5.0), description="length of the shift, in a random direction across z")
    turn_deg: Range = Field(default=(0.0, 3.0), description="angle of the turn about z")
    stretch: Range = Field(default=(0.0, 0.0), description="growth along z, with the section thinner by as much")
    begin_s: Range = Field(default=(0.0, 10.0), description="when it begins")
    duration_s: PositiveRange = Field(default=(0.5, 5.0), description="how long it takes")

    def motion(self, key: Key) -> tuple[Motion, Row]:
        """Return the motion about the origin, and the row of truths that describes it."""
        drawn = self._drawn(key)
        heading = between(key.fold("heading"), (0.0, 360.0))
        angle, shift, grow = pi / 180 * drawn["turn_deg"], 1e-3 * drawn["shift_mm"], drawn["stretch"]
        y, x = shift * sin(heading * pi / 180), shift * cos(heading * pi / 180)
        generator = ((grow, 0.0, 0.0), (0.0, -grow / 2, angle), (0.0, -angle, -grow / 2))
        row = {"part": "motion", "kind": "bulk", **drawn, "heading_deg": heading}
        step = Step(drawn["begin_s"], drawn["duration_s"])
        return Bulk((0.0, 0.0, 0.0), generator, (0.0, y, x), step), row


def drawn_motion(spec: BulkMotion | None, key: Key) -> tuple[Motion | None, dict[str, tuple[Row, ...]]]:
    """Return the bulk motion of a phantom's key and its table of truths; neither for a phantom at rest."""
    if spec is None:
        return None, {}
    motion, row = spec.motion(key.fold("motion"))
    return motion, {"motion": (row,)}


class ChestMotion(_Ranges):
    """A chest that breathes and whose heart beats; the phantom as drawn is at the end of an exhalation, in diastole."""

    breathing: Literal["regular", "irregular", "hold"] = "regular"
    diaphragm_mm: Range = Field(default=(10.0, 20.0), description="descent of the domes of the diaphragm")
    chest_mm: Range = Field(default=(2.0, 4.0), description="rise of the front of the chest")
    belly_mm: Range = Field(default=(4.0, 10.0), description="rise of the belly's front")
    breath_s: PositiveRange = Field(default=(3.5, 5.5), description="length of a breath")
    irregularity: Probability = Field(default=0.2, le=0.5, description="spread over mean of irregular breaths")
    hold_drift: Probability = Field(default=0.005, description="share of a held breath lost each second")
    beat_s: PositiveRange = Field(default=(0.75, 1.1), description="length of a heart beat")
    beat_spread: Probability = Field(default=0.04, le=0.5, description="spread over mean of beats")
    ectopic: Probability = Field(default=0.0, description="probability that a beat comes early")
    contraction: Range = Field(default=(0.2, 0.3), description="shortening across the heart's axis, 0: no beat")

    @model_validator(mode="after")
    def _fits(self) -> ChestMotion:
        for name, most in (("diaphragm_mm", 40.0), ("chest_mm", 15.0), ("belly_mm", 20.0), ("contraction", 0.45)):
            if getattr(self, name)[1] > most:
                raise ValueError(f"{name} must end at {most:g} or below, got {list(getattr(self, name))}")
        return self

    def motion(
        self, lungs: Sequence[Shape], domes: Sequence[Shape], heart: Shape, back: float, key: Key
    ) -> tuple[Motion, Row]:
        """Return the motion, and the row of truths that describes it.

        Parameters
        ----------
        lungs
            Ellipsoid of each pleural cavity.
        domes
            Ellipsoids under the diaphragm.
        heart
            Ellipsoid of the pericardial sac, along the heart's axis.
        back
            Where the back rests (y) [m].
        key
            Stream to draw from.
        """
        drawn = self._drawn(key)
        breath, beat = self._breath(key.fold("breath"), drawn["breath_s"]), self._beat(key.fold("beat"), drawn)
        beating = Cardiac(
            heart.centre,
            _times(heart.semi_axes, 1.25),
            beat,
            radial=drawn["contraction"],
            longitudinal=drawn["contraction"] / 2,
            twist=drawn["contraction"] * 0.8,
            rotation=heart.rotation,
        )
        motions: list[Motion] = [beating]
        solid = tuple(_grown(shape, 0.002) for shape in (heart, *domes))
        for lung in lungs:
            length = max(2 * lung.semi_axes[0] - _covered(lung, domes), 0.05)
            stretch = 1e-3 * drawn["diaphragm_mm"] / length
            motions.append(LungExpansion(0, _lateral(lung), solid, stretch, breath))
        moved = tuple(_grown(shape, 2e-3 + 1.2e-3 * drawn["diaphragm_mm"]) for shape in (heart, *domes))
        for lung in lungs:
            inner = _grown(_lateral(lung), -0.004)
            stretch = 1e-3 * drawn["chest_mm"] / (2 * inner.semi_axes[1])
            motions.append(LungExpansion(1, inner, moved, stretch, breath))
        top = max(dome.centre[0] + dome.half_extent[0] for dome in domes) - 0.02
        bottom = top - 0.15
        front = min(lung.centre[1] - lung.half_extent[1] for lung in lungs)
        rise = 1e-3 * drawn["belly_mm"] / (back - front) * (top - bottom) * 8 / 15
        motions.append(Bulge(top, bottom, back, rise, breath))
        row = {"part": "motion", "kind": "chest", "breathing": self.breathing, "ectopic": self.ectopic, **drawn}
        return Composition(tuple(motions)), row

    def _breath(self, key: Key, period: float) -> Signal:
        if self.breathing == "regular":
            return Breathing(period)
        if self.breathing == "irregular":
            return IrregularBreathing(key, period, self.irregularity, self.irregularity)
        return BreathHold(1.0, self.hold_drift)

    def _beat(self, key: Key, drawn: Row) -> Signal:
        if drawn["contraction"] == 0:
            return Constant()
        return Heartbeat(key, drawn["beat_s"], self.beat_spread, self.ectopic)


def _times(lengths: Triple, factor: float) -> Triple:
    z, y, x = (factor * length for length in lengths)
    return (z, y, x)


def _grown(shape: Shape, margin: float) -> Shape:
    z, y, x = (a + margin for a in shape.semi_axes)
    return replace(shape, semi_axes=(z, y, x))


def _lateral(lung: Shape) -> Shape:
    """Return the outer four fifths of a lung: the mediastinum stands in the rest."""
    z, y, x = lung.semi_axes
    side = 1 if lung.centre[2] > 0 else -1
    return replace(
        lung, centre=(lung.centre[0], lung.centre[1], lung.centre[2] + side * 0.2 * x), semi_axes=(z, y, 0.8 * x)
    )


def _covered(lung: Shape, domes: Sequence[Shape]) -> float:
    """Return how much of a lung's height lies below the highest dome that is on its side [m]."""
    tops = [dome.centre[0] + dome.half_extent[0] for dome in domes if dome.centre[2] * lung.centre[2] > 0]
    return max([top - (lung.centre[0] - lung.half_extent[0]) for top in tops], default=0.0)
