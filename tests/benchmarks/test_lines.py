"""The projector along lines, for random lines between points of a ring: lines a core-second.

parallelproj's CPU library, measured before on two cores: 2.0 M lines a second forward and 0.7 M back at 128³.
"""

import numpy as np
import pytest

from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.pet.projector import LineProjector
from phantomsim.physics.pet.time_of_flight import TimeOfFlight

N_LINES = 1_000_000
FLIGHT = TimeOfFlight(214e-12, 29e-12, 33)


def ring_lines() -> np.ndarray:
    rng = np.random.default_rng(0)
    angles, z = rng.uniform(0, 2 * np.pi, (N_LINES, 2)), rng.uniform(-0.128, 0.128, (N_LINES, 2))
    return np.stack([z, 0.3 * np.sin(angles), 0.3 * np.cos(angles)], axis=2)


@pytest.mark.parametrize("direction", ["forward", "back"])
@pytest.mark.parametrize("flight", [None, FLIGHT], ids=["plain", "events"])
@pytest.mark.parametrize("shape", [(128, 128, 128), (128, 256, 256)], ids=["128", "256"])
def test_lines(benchmark, shape, flight, direction) -> None:
    bins = None if flight is None else np.random.default_rng(1).integers(0, FLIGHT.n_bins, N_LINES)
    operator = LineProjector(ring_lines(), Grid(shape, (2e-3,) * 3), flight, bins)
    volume = np.random.default_rng(2).random(shape).astype(np.float32)
    values = operator.forward(volume)
    with threads(1):
        run, argument = (operator.forward, volume) if direction == "forward" else (operator.adjoint, values)
        benchmark.pedantic(run, (argument,), rounds=2)
    benchmark.extra_info["M lines a core-second"] = N_LINES / benchmark.stats.stats.min / 1e6
