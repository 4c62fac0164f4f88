from dataclasses import replace

import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.flow.network import Eddy, VesselFlow
from phantomsim.physics.flow.tube import Bump, Control, Tube
from phantomsim.physics.flow.waveform import Waveform, pulse

END = (0.020, 0.0, 0.0)
LEFT: Control = (
    *(END, (0.022, 0.0, 0.0), (0.024, 0.0, 0.0)),
    *((0.029, 0.004, 0.001), (0.031, 0.007, 0.002), (0.033, 0.010, 0.003)),
)
RIGHT: Control = (
    *(END, (0.022, 0.0, 0.0), (0.024, 0.0, 0.0)),
    *((0.029, -0.004, 0.0), (0.033, -0.006, 0.0), (0.037, -0.008, 0.0)),
)
TRUNK: Control = tuple((0.004 * k, 0.0, 0.0) for k in range(6))  # type: ignore[assignment]
THIN = 0.002 * 2 ** (-1 / 3)
FORK = VesselFlow(
    (
        Tube(TRUNK, (0.002, 0.002), (0.1, 0.5), (Bump(0.5, 0.25, -0.5),)),
        Tube(LEFT, (0.002, THIN)),
        Tube(RIGHT, (0.002, THIN), (0.1, 0.5), (Bump(0.75, 0.15, 0.6),)),
    ),
    (-1, 0, 0),
    (2e-6, 1e-6, 1e-6),
    pulse(1.2, 0.6),
    eddies=(Eddy((0.008, 0.003, 0.0), 0.0018, (0.0, 0.0, 40.0)),),
)
TIMES = (0.0, 0.17, 0.5)


def gradient(flow: VesselFlow, points: np.ndarray, time: float, step: float) -> np.ndarray:  # type: ignore[type-arg]
    """Return ∂v_i/∂x_j (point, i, j) by central differences."""
    shifts = step * np.eye(3)
    columns = [(flow.velocity(points + s, time) - flow.velocity(points - s, time)) / (2 * step) for s in shifts]
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("time", TIMES)
def test_the_velocity_is_free_of_divergence_in_bends_tapers_forks_stenoses_and_aneurysms(time: float) -> None:
    """The gradient jumps at walls, where differences mean nothing: a step of 2 nm leaves none of 4,000 points there."""
    draws = np.random.default_rng(1).uniform((0.0, -0.010, -0.004), (0.037, 0.012, 0.005), (100_000, 3))
    points = draws[FORK.holds(draws)][:4000]
    jacobian = gradient(FORK, points, time, 2e-9)
    divergence = np.abs(np.trace(jacobian, axis1=1, axis2=2))
    local = np.linalg.norm(jacobian, axis=(1, 2))
    scale = np.abs(FORK.velocity(points, time)).max() / 0.002
    assert (divergence <= 1e-3 * np.maximum(local, 1e-3 * scale)).all()
    assert divergence.max() < 1e-5 * scale


@pytest.mark.parametrize("time", TIMES)
def test_planes_across_a_fork_carry_the_parents_flow(time: float) -> None:
    """Sums over squares of 1/12 mm miss the walls' part of the flow by less than 0.5 %."""
    step = 8e-5
    grid = np.arange(-0.010, 0.011, step)
    y, x = np.meshgrid(grid, np.arange(-0.003, 0.005, step), indexing="ij")
    for z in (0.004, 0.0201, 0.0235, 0.027):
        v = FORK.velocity(np.stack([np.full_like(y, z), y, x], axis=-1), time)
        assert v[..., 0].sum() * step**2 == pytest.approx(2e-6 * FORK.waveform.at(time), rel=5e-3)


def test_the_velocity_is_continuous_where_children_begin() -> None:
    points = np.column_stack([np.full(30, END[0]), *np.random.default_rng(0).uniform(-0.0014, 0.0014, (2, 30))])
    before, behind = (FORK.velocity(points + [s * 1e-9, 0, 0], 0.2) for s in (-1, 1))
    np.testing.assert_allclose(before, behind, atol=1e-5 * np.abs(before).max())


def test_outside_the_lumen_nothing_moves() -> None:
    points = np.random.default_rng(2).uniform((-0.002, -0.012, -0.005), (0.04, 0.012, 0.005), (20_000, 3))
    outside = points[~FORK.holds(points)]
    assert not FORK.velocity(outside, 0.2).any()
    assert FORK.velocity(points.reshape(100, 200, 3)).shape == (100, 200, 3)


def test_an_eddy_turns_about_its_spin() -> None:
    """Ω along x and y along z: Ω × y points along y of right-handed (x, y, z), since x × z = −y."""
    flow = VesselFlow((), (), (), eddies=(Eddy((0.0, 0.0, 0.0), 0.01, (0.0, 0.0, 3.0)),))
    np.testing.assert_allclose(flow.velocity(np.array([0.005, 0.0, 0.0])), [0.0, -3.0 * 0.005 * 0.75, 0.0], atol=1e-15)


def test_the_table_follows_poiseuilles_law() -> None:
    """A straight tube of 2 mm radius, 20 mm long, 2 ml/s: 8 μ L Q / (π r⁴) = 22.28 Pa, mean velocity 159.15 mm/s."""
    flow = VesselFlow((Tube(TRUNK, (0.002, 0.002)),), (-1,), (2e-6,))
    (row,) = flow.table()
    assert row["mean_velocity_mm_s"] == pytest.approx(159.155, rel=1e-5)
    assert row["peak_velocity_mm_s"] == pytest.approx(2 * 159.155, rel=1e-5)
    assert row["pressure_drop_pa"] == pytest.approx(22.282, rel=1e-4)
    assert row["reynolds"] == pytest.approx(0.004 * 0.159155 * 1060 / 3.5e-3, rel=1e-5)
    assert row["length_mm"] == pytest.approx(20, rel=1e-9)
    peak = flow.velocity(np.array([0.01, 0.0, 0.0]))[0]
    assert 1e3 * peak == pytest.approx(row["peak_velocity_mm_s"], rel=1e-12)


def test_the_flow_of_a_beat_has_the_waveforms_mean() -> None:
    point = np.array([0.004, 0.0, 0.0])
    times = np.arange(16) / 16 / 1.2
    mean = np.mean([FORK.velocity(point, float(t))[0] for t in times])
    assert mean == pytest.approx(replace(FORK, waveform=Waveform()).velocity(point)[0], rel=1e-9)


def test_trees_that_cannot_be_are_refused() -> None:
    with pytest.raises(UnitError, match="children of tube 0 carry"):
        replace(FORK, flows=(2e-6, 1e-6, 2e-6))
    with pytest.raises(ShapeError, match="must come after its parent"):
        replace(FORK, parents=(1, -1, 0))
    with pytest.raises(ShapeError, match="as many"):
        replace(FORK, flows=(2e-6,))
    with pytest.raises(ShapeError, match="must begin where"):
        replace(FORK, tubes=(Tube(TRUNK, (0.0021, 0.0021)), *FORK.tubes[1:]))
    with pytest.raises(UnitError, match="positive"):
        replace(FORK, viscosity=0.0)
