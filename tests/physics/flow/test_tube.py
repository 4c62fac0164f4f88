import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.flow.tube import Bump, Control, Tube

STRAIGHT: Control = tuple((0.004 * k, 0.0, 0.0) for k in range(6))  # type: ignore[assignment]
BENT: Control = (
    *((0.0, 0.0, 0.0), (0.002, 0.0, 0.0), (0.004, 0.0, 0.0)),
    *((0.008, 0.005, 0.0), (0.010, 0.010, 0.002), (0.012, 0.015, 0.004)),
)


def section(tube: Tube, u: float, n: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Return points of a section, their weights (exact for polynomials and full turns) and its normal."""
    (c,), (first,), _ = tube.curve(np.array([u]))
    normal = first / np.linalg.norm(first)
    a = np.cross(normal, [0.3, 0.5, 0.8])
    a /= np.linalg.norm(a)
    b = np.cross(normal, a)
    nodes, weights = np.polynomial.legendre.leggauss(n)
    rho, w = (nodes + 1) / 2, weights / 2
    phi = 2 * np.pi * (np.arange(24) + 0.5) / 24
    r = float(tube.radius(np.array([u]))[0][0])
    points = c + r * (rho[:, None, None] * (np.cos(phi)[:, None] * a + np.sin(phi)[:, None] * b))
    area = np.broadcast_to((w * rho * r**2)[:, None] * 2 * np.pi / 24, points.shape[:2])
    return points.reshape(-1, 3), area.ravel(), normal


def speed(tube: Tube, points: np.ndarray, phasors=(), numbers=()) -> np.ndarray:  # type: ignore[no-untyped-def,type-arg]
    out = np.zeros_like(points)
    inside, u, fraction = tube.locate(points)
    out[inside] = tube.stream(points[inside], u, fraction, phasors, numbers)
    return out


def test_a_straight_tube_has_poiseuilles_parabola() -> None:
    tube, x = Tube(STRAIGHT, (0.002, 0.002)), np.linspace(-0.0025, 0.0025, 41)
    v = speed(tube, np.column_stack([np.full(41, 0.0111), np.zeros(41), x]))
    np.testing.assert_allclose(v[:, 0], 2 / (np.pi * 0.002**2) * np.maximum(1 - (x / 0.002) ** 2, 0), atol=1e-6)
    assert not v[:, 1:].any()


def test_lengths_are_those_of_a_fine_polygon() -> None:
    tube = Tube(BENT, (0.002, 0.0015))
    places = tube.curve(np.linspace(0, 1, 20001))[0]
    assert tube.length == pytest.approx(np.linalg.norm(np.diff(places, axis=0), axis=1).sum(), rel=1e-7)


def test_points_are_found_in_their_section() -> None:
    tube = Tube(BENT, (0.002, 0.0015))
    for u in (0.03, 0.4, 0.77):
        points, _, _ = section(tube, u)
        np.testing.assert_allclose(tube.foot(points), u, atol=1e-9)


@pytest.mark.parametrize("bump", [Bump(0.6, 0.3, -0.7), Bump(0.6, 0.3, 0.8)])
@pytest.mark.parametrize("beat", [((), ()), ((0.4 - 0.9j,), (1500.0,))])
def test_every_section_carries_the_same_flow(bump: Bump, beat: tuple[tuple[complex, ...], tuple[float, ...]]) -> None:
    """Gauss's rule in ρ: exact for the parabola, 1e-9 for Womersley's profile of number 3 to 5."""
    tube = Tube(BENT, (0.002, 0.0015), (0.1, 0.5), (bump,))
    for u in (0.1, 0.35, 0.5, 0.62, 0.8, 0.95):
        points, area, normal = section(tube, u)
        flow = float((speed(tube, points, *beat) @ normal) @ area)
        assert flow == pytest.approx(1 + sum(p.real for p in beat[0]), rel=1e-8)


def test_the_velocity_vanishes_towards_the_wall_and_beyond() -> None:
    tube = Tube(BENT, (0.002, 0.0015), (0.1, 0.5), (Bump(0.6, 0.3, -0.5),))
    (c,), (first,), _ = tube.curve(np.array([0.55]))
    normal = np.cross(first, [0.0, 0.0, 1.0])
    normal /= np.linalg.norm(normal)
    r = float(tube.radius(np.array([0.55]))[0][0])
    v = np.linalg.norm(speed(tube, c + r * np.array([0.0, 1 - 1e-6, 1 + 1e-6, 1.5])[:, None] * normal), axis=1)
    assert v[1] < 1e-5 * v[0]
    assert not v[2:].any()


def test_a_stenosis_has_the_cosines_shape() -> None:
    tube = Tube(STRAIGHT, (0.002, 0.002), (0.1, 0.5), (Bump(0.5, 0.2, -0.6),))
    radii = tube.radius(np.array([0.3, 0.4, 0.5, 0.6, 0.7]))[0]
    np.testing.assert_allclose(radii, 0.002 * (1 - 0.6 * np.array([0, 0.5, 1, 0.5, 0])), rtol=1e-12)


def test_the_slope_of_the_radius_is_its_derivative() -> None:
    tube, u, h = Tube(BENT, (0.002, 0.001), (0.1, 0.7), (Bump(0.5, 0.3, -0.6),)), np.linspace(0.01, 0.99, 50), 1e-6
    expected = (tube.radius(u + h)[0] - tube.radius(u - h)[0]) / (2 * h)
    np.testing.assert_allclose(tube.radius(u)[1], expected, atol=1e-8)


def test_tubes_that_cannot_be_are_refused() -> None:
    with pytest.raises(UnitError, match="positive radii"):
        Tube(STRAIGHT, (0.002, 0.0))
    with pytest.raises(UnitError, match="closes the tube"):
        Bump(0.5, 0.1, -1.0)
    with pytest.raises(ShapeError, match="sections cross"):
        Tube(BENT, (0.02, 0.02))
