"""From activity to coincidences: decays, body, crystals, electronics and pairing, window after window.

Time is cut into windows of some hundred thousand decays, each with random streams of its own, so that the events are
the same for any number of threads. What a window leaves unfinished, singles that still find partners and blocks that
are dead, goes on into the next; memory is bounded by a window, never by the scan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import IntEnum
from itertools import pairwise
from math import ceil, exp, expm1
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace, to_host
from phantomsim.physics.errors import UnitError
from phantomsim.physics.pet.coincidences import Coincidences, CoincidenceSorter
from phantomsim.physics.pet.digitiser import Digitiser
from phantomsim.physics.pet.emission import ACOLLINEARITY, Source, emit
from phantomsim.physics.pet.isotopes import Isotope
from phantomsim.physics.pet.rings import Rings
from phantomsim.physics.pet.singles import Integers, Singles, singles_of
from phantomsim.physics.photons.medium import Medium
from phantomsim.physics.photons.tables import Material, tabulate
from phantomsim.physics.photons.transport import transport
from phantomsim.physics.rng import Key, poisson, uniform

DECAYS: Final = 2**17
"""Positrons to a window, on average."""


class Truth(IntEnum):
    """What a coincidence is."""

    TRUE = 0
    SCATTERED = 1
    RANDOM = 2


@dataclass(frozen=True, eq=False)
class Events:
    """Coincidences of a list, one after the other in time; all on the host.

    Parameters
    ----------
    time
        When the first photon was detected [s], float64.
    first, second
        Crystals, ``ring * n_crystals + crystal``, the lower one first, int32.
    delay
        Arrival in the first crystal less that in the second [s], float32.
    energy
        Of both (2, event) [keV], float32.
    truth
        `Truth` of each, uint8.
    scattered
        Events of both photons in the body (2, event), int16.
    decay
        Number of the decay of both photons (2, event), int64.
    delayed
        Whether the delayed window found it, which estimates the randoms.
    """

    time: npt.NDArray[np.float64]
    first: npt.NDArray[np.int32]
    second: npt.NDArray[np.int32]
    delay: npt.NDArray[np.float32]
    energy: npt.NDArray[np.float32]
    truth: npt.NDArray[np.uint8]
    scattered: npt.NDArray[np.int16]
    decay: Integers
    delayed: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.time)

    def part(self, selection: object) -> Events:
        """Return some of the events, by a mask, a slice or indices."""
        return Events(*(getattr(self, field.name)[..., selection] for field in fields(self)))

    @staticmethod
    def joined(parts: list[Events]) -> Events:
        """Return the events of all parts, one after the other."""
        names = [field.name for field in fields(Events)]
        return Events(*(np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names))


@dataclass(frozen=True, eq=False)
class Body:
    """What decays and what is in the way.

    Parameters
    ----------
    source
        Where decays happen.
    medium
        What photons meet; what lies outside of its grid is empty.
    density
        Mass density on the source's grid (z, y, x) [kg/m³].
    isotope
        What decays.
    """

    source: Source
    medium: Medium
    density: Array
    isotope: Isotope


@dataclass(frozen=True)
class Machine:
    """A ring scanner with its electronics.

    Parameters
    ----------
    rings
        Geometry.
    crystal
        Density [kg/m³] and mass fractions of the crystals.
    digitiser
        Blur, dead time, energy window.
    sorter
        Pairing.
    """

    rings: Rings
    crystal: Material
    digitiser: Digitiser
    sorter: CoincidenceSorter


def acquire(
    body: Body,
    machine: Machine,
    duration: float,
    key: Key,
    *,
    positron_range: bool = True,
    acollinearity: float = ACOLLINEARITY,
) -> Iterator[tuple[Events, Integers]]:
    """Measure a body for some time from the moment to which its activity belongs.

    Parameters
    ----------
    body
        What decays and what is in the way.
    machine
        The scanner.
    duration
        [s].
    key
        Random stream.
    positron_range
        Whether positrons fly.
    acollinearity
        Standard deviation of the angle between photons and π, in each of two directions [rad].

    Yields
    ------
        Window after window: its coincidences, prompt ones before delayed ones, and the singles of each block (block)
        inside the energy window.

    Raises
    ------
    UnitError
        If the duration is not positive, or matter lies where the crystals are.
    """
    if not 0 < duration < np.inf:
        raise UnitError(f"the duration of an acquisition must be positive [s], got {duration}")
    check_bore(body, machine.rings)
    rings, decay = machine.rings, body.isotope.decay_constant
    rate = body.source.decays * body.isotope.branching
    n_windows = max(1, ceil(rate * -expm1(-decay * duration) / decay / DECAYS))
    edges = np.linspace(0, duration, n_windows + 1)
    busy, pending = np.full(rings.n_all_blocks, -1.0), None
    crystal, n_before = tabulate([machine.crystal]), 0
    for window, (begin, end) in enumerate(pairwise(edges)):
        stream = key.fold(window)
        mean = rate * exp(-decay * begin) * -expm1(-decay * (end - begin)) / decay
        n = int(poisson(stream.fold("decays"), np.array([mean]))[0])
        times = (
            begin - np.log1p(uniform(stream.fold("times"), n, dtype=np.float64) * expm1(-decay * (end - begin))) / decay
        )
        isotope = body.isotope if positron_range else None
        places, photons = emit(
            body.source,
            n,
            stream.fold("emission"),
            density=body.density,
            isotope=isotope,
            acollinearity=acollinearity,
        )
        xp = namespace(places)
        annihilations = xp.array(photons.state[:3, :n])
        photons = transport(photons, body.medium, stream.fold("body"))
        new = singles_of(photons, annihilations, times, rings, crystal, stream.fold("crystals"), first=n_before)
        n_before += n
        new = machine.digitiser.read(new, rings, stream.fold("electronics"), busy)
        block = new.crystal // rings.n_crystals // rings.block[0] * rings.n_blocks
        block += new.crystal % rings.n_crystals // rings.block[1]
        counts = np.bincount(block, minlength=rings.n_all_blocks)
        n_old = 0 if pending is None else len(pending)
        singles = new if pending is None else Singles.joined(pending, new)
        order = np.argsort(singles.time, kind="stable")
        seen_before = order < n_old
        singles = singles.part(order)
        prompt = machine.sorter.prompt(singles, rings)
        delayed = machine.sorter.delayed(singles, rings)
        parts = [
            _events(singles, pairs, seen_before, delayed=late) for pairs, late in ((prompt, False), (delayed, True))
        ]
        yield Events.joined(parts), counts
        pending = singles.part(singles.time > end - 2 * machine.sorter.reach)


def check_bore(body: Body, rings: Rings) -> None:
    """Refuse a body that reaches into the crystals.

    Raises
    ------
    UnitError
        If anything denser than a tenth of water lies at a crystal's distance from the axis, or activity does.
    """
    grid = body.source.grid
    distance = np.hypot(grid.coordinates(1)[:, None], grid.coordinates(2))
    beyond = distance + np.hypot(*grid.spacing[1:]) / 2 > rings.radius
    dense = to_host(body.density).max(axis=0) > 100.0
    active = np.zeros(grid.shape, bool)
    active.ravel()[to_host(body.source.voxels)] = True
    for name, there in (("matter", dense), ("activity", active.any(axis=0))):
        if (there & beyond).any():
            reach = 1e3 * float(distance[there].max())
            raise UnitError(
                f"{name} reaches {reach:.4g} mm from the axis, but the crystals begin at {1e3 * rings.radius:.4g} mm: "
                "take a larger scanner or a smaller object"
            )


def _events(singles: Singles, pairs: Coincidences, seen_before: npt.NDArray[np.bool_], *, delayed: bool) -> Events:
    """Return the events of pairs, but those whose singles were both there in the window before."""
    new = ~(seen_before[pairs.first] & seen_before[pairs.second])
    first, second = pairs.first[new], pairs.second[new]
    scattered = np.stack([singles.scattered[first], singles.scattered[second]])
    decay = np.stack([singles.decay[first], singles.decay[second]])
    truth = np.where(scattered.max(axis=0, initial=0) > 0, Truth.SCATTERED, Truth.TRUE)
    truth = np.where(decay[0] == decay[1], truth, Truth.RANDOM)
    return Events(
        singles.time[first],
        singles.crystal[first],
        singles.crystal[second],
        pairs.delay[new].astype(np.float32),
        np.stack([singles.energy[first], singles.energy[second]]),
        truth.astype(np.uint8),
        scattered,
        decay,
        np.full(len(first), delayed),
    )
