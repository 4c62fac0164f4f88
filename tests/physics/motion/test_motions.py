"""What holds for every motion: its inverse undoes it, and Jacobian and velocity are its derivatives."""

import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.motion.cardiac import Cardiac
from phantomsim.physics.motion.cycles import BreathHold, Breathing, Heartbeat, IrregularBreathing
from phantomsim.physics.motion.linear import Bulk, Rigid
from phantomsim.physics.motion.motion import Composition
from phantomsim.physics.motion.peristaltic import Peristaltic
from phantomsim.physics.motion.respiratory import Bulge, LungExpansion
from phantomsim.physics.motion.signal import Constant, Step, Total, drift, nod, tremor
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import along, box, ellipsoid, turn

KEY = Key(3)
BREATH = IrregularBreathing(KEY.fold("breath"))
LUNG = ellipsoid((-0.02, 0.0, 0.06), (0.15, 0.09, 0.06), turn("z", 0.1))
SOLID = (
    ellipsoid((-0.15, 0.0, 0.06), (0.10, 0.09, 0.06), turn("z", 0.1)),
    ellipsoid((-0.07, -0.03, 0.02), (0.06, 0.05, 0.05), along((-0.4, -0.5, 0.7))),
)
HEAD = tuple(Total((drift(KEY.fold(a), 0.002), nod(KEY.fold(a), 0.003, 5.0), tremor(KEY.fold(a), 5e-4))) for a in "zyx")
ANGLES = tuple(drift(KEY.fold("angle", a), 0.1) for a in "zyx")
GENERATOR = ((0.05, 0.02, 0.0), (-0.1, -0.02, 0.03), (0.02, 0.2, -0.03))
MOTIONS = {
    "rigid": Rigid((-0.08, 0.02, 0.0), HEAD, ANGLES),
    "bulk": Bulk((0.01, 0.0, -0.02), GENERATOR, (0.01, 0.002, 0.0), Step(1.0, 7.0)),
    "diaphragm": LungExpansion(0, LUNG, SOLID, 0.08, BREATH),
    "chest": LungExpansion(1, LUNG, SOLID, 0.03, BREATH),
    "belly": Bulge(-0.05, -0.2, 0.1, 0.006, BREATH),
    "cardiac": Cardiac(
        (-0.06, -0.02, 0.02),
        (0.08, 0.06, 0.05),
        Heartbeat(KEY.fold("heart"), ectopic=0.2),
        radial=0.4,
        longitudinal=0.2,
        twist=0.3,
        rotation=along((-0.4, -0.5, 0.7)),
    ),
    "peristaltic": Peristaltic((-0.1, -0.05, 0.02), (0.2, 0.1, 1.0), 0.1, 0.04, depth=0.7),
}
MOTIONS["all"] = Composition(tuple(MOTIONS[name] for name in ("cardiac", "diaphragm", "chest", "belly", "rigid")))
TIMES = (0.0, 0.13, 1.7, 2.9, 6.4, 31.0)


@pytest.fixture(params=MOTIONS)
def motion(request):
    return MOTIONS[request.param]


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(1).uniform(-0.22, 0.22, (40, 100, 3))


def test_the_inverse_undoes_the_displacement(motion, points):
    """Issue: to 1e-6 mm; got to 1e-12 m, that is 1e-9 mm."""
    for time in TIMES:
        now = points + motion.displacement(points, time)
        assert np.abs(motion.inverse(now, time) - points).max() < 1e-12
        rest = motion.inverse(points, time)
        assert np.abs(rest + motion.displacement(rest, time) - points).max() < 1e-12


def test_something_moves(motion, points):
    assert max(np.abs(motion.displacement(points, time)).max() for time in TIMES) > 1e-3


def test_the_jacobian_is_the_derivative_by_place(motion, points):
    """Central differences of 1e-6 m, where no edge of a lung lies between: there the Jacobian jumps or has a pole."""
    h = 1e-6
    for time in (1.7, 6.4):
        jacobian = motion.jacobian(points, time)
        assert jacobian.shape == (40, 100, 3, 3)
        for axis in range(3):
            step = h * np.eye(3)[axis]
            ahead, behind = (points + s * step + motion.displacement(points + s * step, time) for s in (1, -1))
            change = motion.jacobian(points + step, time) - motion.jacobian(points - step, time)
            smooth = np.abs(change).max(axis=(-1, -2)) < 1e-4
            assert smooth.mean() > 0.98
            error = np.abs((ahead - behind) / (2 * h) - jacobian[..., axis])[smooth]
            assert error.max() < 1e-6


def test_the_velocity_is_the_derivative_by_time(motion, points):
    h = 1e-5
    for time in (0.13, 1.7, 6.4):
        moved = motion.displacement(points, time + h) - motion.displacement(points, time - h)
        np.testing.assert_allclose(motion.velocity(points, time), moved / (2 * h), rtol=0, atol=2e-7)


@pytest.mark.parametrize("name", ["rigid", "belly"])
def test_volumes_are_kept_exactly(name, points):
    for time in TIMES:
        assert np.abs(np.linalg.det(MOTIONS[name].jacobian(points, time)) - 1).max() < 1e-12


@pytest.mark.parametrize("name", ["diaphragm", "chest"])
def test_lung_grows_by_one_factor_and_nothing_else_changes_its_volume(name, points):
    motion = MOTIONS[name]
    for time in TIMES:
        growth = 1 + motion.stretch * float(motion.signal(time))
        lung = LUNG.holds(points) & ~SOLID[0].holds(points) & ~SOLID[1].holds(points)
        expected = np.where(lung, growth, 1.0)
        assert np.abs(np.linalg.det(motion.jacobian(points, time)) - expected).max() < 1e-11
        np.testing.assert_allclose(motion.dilution(points, time), expected, rtol=0, atol=1e-12)


def test_dilutions_of_motions_one_after_another_multiply(points):
    parts = Composition((MOTIONS["diaphragm"], MOTIONS["belly"], MOTIONS["rigid"]))
    expected = np.linalg.det(parts.jacobian(points, 1.7))
    assert np.abs(parts.dilution(points, 1.7) - expected).max() < 1e-11
    assert expected.max() > 1.01


def test_the_diaphragm_descends_by_the_stretch_of_the_lung_above_it():
    motion = LungExpansion(0, ellipsoid((0, 0, 0), (0.12, 0.08, 0.06)), (), 0.1, Constant(1.0))
    places = np.array([[-0.2, 0.0, 0.0], [-0.2, 0.0, 0.036], [0.2, 0.0, 0.0], [-0.2, 0.0, 0.07], [0.0, 0.0, 0.0]])
    moved = motion.displacement(places, 0.0)
    np.testing.assert_allclose(moved[:, 0], [-0.024, -0.024 * 0.8, 0, 0, -0.012], rtol=0, atol=1e-15)
    assert not moved[:, 1:].any()


def test_rigid_motion_keeps_distances_and_affine_says_where_it_takes_points(points):
    for name in ("rigid", "bulk"):
        matrix, shift = MOTIONS[name].affine(6.4)
        np.testing.assert_allclose(
            points @ matrix.T + shift, points + MOTIONS[name].displacement(points, 6.4), atol=1e-15
        )
    matrix, _ = MOTIONS["rigid"].affine(6.4)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-15)
    pair = Composition((MOTIONS["rigid"], MOTIONS["bulk"]))
    matrix, shift = pair.affine(6.4)
    np.testing.assert_allclose(points @ matrix.T + shift, points + pair.displacement(points, 6.4), atol=1e-15)
    assert MOTIONS["all"].affine(6.4) is None


def test_a_traceless_generator_keeps_volumes():
    assert abs(np.trace(GENERATOR)) < 1e-15
    assert np.linalg.det(MOTIONS["bulk"].affine(9.0)[0]) == pytest.approx(1, abs=1e-14)


def test_the_heart_is_still_beyond_its_ellipsoid_and_shortens_by_its_strains_within(points):
    motion = Cardiac((0.0, 0.0, 0.0), (0.05, 0.04, 0.04), Constant(1.0), radial=0.3, longitudinal=0.1, twist=0.25)
    near = 1e-6
    matrix = motion.jacobian(np.zeros(3), 0.0)
    turned = np.asarray([[np.cos(0.25), -np.sin(0.25)], [np.sin(0.25), np.cos(0.25)]])
    np.testing.assert_allclose(matrix[0, 0], 0.9, atol=near)
    np.testing.assert_allclose(matrix[1:, 1:], 0.7 * turned, atol=near)
    outside = ~ellipsoid((0, 0, 0), (0.05, 0.04, 0.04)).holds(points)
    assert not motion.displacement(points[outside], 0.0).any()


def test_a_wave_of_the_gut_travels_one_wavelength_a_period():
    motion = Peristaltic((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), 0.2, 0.03, 0.5, 0.05, 10.0)
    places = np.column_stack([np.zeros(50), np.full(50, 0.01), np.linspace(-0.08, 0.08, 50)])
    later = motion.displacement(places + [0, 0, 0.02], 4.0)
    np.testing.assert_allclose(motion.displacement(places, 0.0), later, atol=1e-15)


def test_wrong_measures_are_refused():
    ball = ellipsoid((0, 0, 0), (1, 1, 1))
    with pytest.raises(ShapeError, match="ellipsoids"):
        LungExpansion(0, ball, (box((0, 0, 0), (1, 1, 1)),), 0.1, Breathing())
    with pytest.raises(UnitError, match="stretch"):
        LungExpansion(0, ball, (), -0.1, Breathing())
    with pytest.raises(UnitError, match="belly"):
        Bulge(0.0, -0.1, 0.0, 0.05, BreathHold())
    with pytest.raises(UnitError, match="shortens"):
        Cardiac((0, 0, 0), (1, 1, 1), Breathing(), radial=1.0)
    with pytest.raises(UnitError, match="wave"):
        Peristaltic((0, 0, 0), (1, 0, 0), 0.1, 0.1, depth=1.0)
