"""PWLS against direct solutions, and its prior against differences."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.solvers.potentials import QGGMRF, Fair, Huber, Potential, Quadratic
from phantomsim.physics.solvers.pwls import pwls
from phantomsim.physics.solvers.roughness import Roughness
from phantomsim.physics.solvers.subsets import whole
from tests.dense import interleaved, positive_system

OPERATOR, TRUTH, DATA = positive_system(40, 12)
WEIGHTS = np.random.default_rng(3).random(40) + 0.2
ZERO = np.zeros(12)
POTENTIALS: list[Potential] = [Quadratic(), Huber(0.1), Fair(0.1), QGGMRF(0.1), QGGMRF(0.1, q=1.0)]
BETA = 0.7


def objective(x: np.ndarray, roughness: Roughness) -> float:
    return float(WEIGHTS @ (OPERATOR(x) - DATA) ** 2) / 2 + BETA * roughness.value(x)


def quadratic_solution() -> np.ndarray:
    differences = np.diff(np.eye(12), axis=0)
    system = OPERATOR.matrix.T @ (WEIGHTS[:, None] * OPERATOR.matrix) + BETA * differences.T @ differences
    return np.linalg.solve(system, OPERATOR.matrix.T @ (WEIGHTS * DATA))


@pytest.mark.parametrize(("momentum", "n_iterations"), [(False, 6000), (True, 1500)])
def test_the_quadratic_prior_gives_the_solution_of_the_normal_equations(momentum: bool, n_iterations: int) -> None:
    found = pwls(
        whole(OPERATOR),
        DATA,
        WEIGHTS,
        ZERO,
        n_iterations,
        strength=BETA,
        roughness=Roughness(Quadratic(), (1.0,)),
        momentum=momentum,
        non_negative=False,
    )
    np.testing.assert_allclose(found, quadratic_solution(), atol=1e-4)


@pytest.mark.parametrize("potential", POTENTIALS, ids=str)
def test_the_objective_falls_with_every_iteration(potential: Potential) -> None:
    roughness = Roughness(potential, (1.0,))
    found = [objective(ZERO, roughness)]
    pwls(
        whole(OPERATOR),
        DATA,
        WEIGHTS,
        ZERO,
        100,
        strength=BETA,
        roughness=roughness,
        momentum=False,
        callback=lambda _, x: found.append(objective(x, roughness)),
    )
    assert (np.diff(found) < 1e-12).all()


def test_momentum_and_subsets_reach_in_few_passes_what_takes_many_without() -> None:
    roughness = Roughness(Fair(0.1), (1.0,))
    given = {"strength": BETA, "roughness": roughness}
    best = objective(pwls(whole(OPERATOR), DATA, WEIGHTS, ZERO, 5000, **given), roughness)
    plain = pwls(whole(OPERATOR), DATA, WEIGHTS, ZERO, 40, momentum=False, **given)
    fast = pwls(whole(OPERATOR), DATA, WEIGHTS, ZERO, 40, **given)
    assert objective(fast, roughness) - best < 0.05 * (objective(plain, roughness) - best)
    plain, fast = (
        pwls(subsets, DATA, WEIGHTS, ZERO, 5, momentum=False, **given)
        for subsets in (whole(OPERATOR), interleaved(OPERATOR.matrix, 4))
    )
    assert objective(fast, roughness) - best < 0.5 * (objective(plain, roughness) - best)


def test_data_of_weight_zero_count_for_nothing_and_the_image_is_not_negative() -> None:
    weights = WEIGHTS.copy()
    weights[::3] = 0
    other = DATA.copy()
    other[::3] = 1e3
    given = {"strength": 0.1, "roughness": Roughness(Huber(0.1), (1.0,))}
    found = [pwls(whole(OPERATOR), data, weights, ZERO, 30, **given) for data in (DATA, other)]
    np.testing.assert_allclose(found[0], found[1], atol=1e-12)
    assert (pwls(whole(OPERATOR), -DATA, WEIGHTS, ZERO, 30, **given) == 0).all()


@pytest.mark.parametrize("potential", POTENTIALS, ids=str)
def test_a_potential_is_even_has_curvature_1_at_zero_and_the_derivative_it_says(potential: Potential) -> None:
    t = np.linspace(-1, 1, 2001)
    slope, h = potential.derivative(t), 1e-6
    np.testing.assert_array_equal(potential.value(t), potential.value(-t))
    np.testing.assert_allclose((potential.value(t + h) - potential.value(t - h)) / (2 * h), slope, atol=1e-6)
    away = t != 0
    ratio = slope[away] / t[away]
    assert (ratio <= 1 + 1e-12).all()
    assert (np.diff(ratio[t[away] > 0]) <= 1e-12).all()
    assert potential.derivative(np.array([1e-9]))[0] == pytest.approx(1e-9, rel=1e-3)
    assert potential.value(t.astype(np.float32)).dtype == potential.derivative(t.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("potential", POTENTIALS, ids=str)
def test_roughness_sums_over_all_26_neighbours_each_pair_once(potential: Potential) -> None:
    x = np.random.default_rng(4).random((3, 4, 5))
    spacing = (2.0, 1.0, 0.8)
    total = 0.0
    for place in np.ndindex(x.shape):
        for step in product((-1, 0, 1), repeat=3):
            other = tuple(np.add(place, step))
            if any(step) and all(0 <= i < n for i, n in zip(other, x.shape, strict=True)):
                weight = 0.8 / np.sqrt(sum((s * d) ** 2 for s, d in zip(step, spacing, strict=True)))
                total += weight * float(potential.value(np.array(x[place] - x[other]))) / 2
    roughness = Roughness(potential, spacing)
    assert roughness.value(x) == pytest.approx(total, rel=1e-12)
    direction, h = np.random.default_rng(5).standard_normal(x.shape), 1e-6
    slope = (roughness.value(x + h * direction) - roughness.value(x - h * direction)) / (2 * h)
    assert float((roughness.gradient(x) * direction).sum()) == pytest.approx(slope, rel=1e-6)
    bound = roughness.value(x) + slope + float((roughness.curvature(x) * direction**2).sum()) / 2
    assert roughness.value(x + direction) <= bound


def test_nonsense_is_refused() -> None:
    roughness = Roughness(Quadratic(), (1.0,))
    with pytest.raises(ShapeError, match="weights must have the shape"):
        pwls(whole(OPERATOR), DATA, WEIGHTS[1:], ZERO, 1, strength=1, roughness=roughness)
    with pytest.raises(RecipeError, match="weights must not be negative"):
        pwls(whole(OPERATOR), DATA, -WEIGHTS, ZERO, 1, strength=1, roughness=roughness)
    with pytest.raises(RecipeError, match="strength must not be negative"):
        pwls(whole(OPERATOR), DATA, WEIGHTS, ZERO, 1, strength=-1, roughness=roughness)
    with pytest.raises(ShapeError, match="fewer axes"):
        Roughness(Quadratic(), (1.0, 1.0)).value(ZERO)
    with pytest.raises(RecipeError, match="edge must be positive"):
        Huber(0.0)
    with pytest.raises(RecipeError, match="q must lie in 1 to 2"):
        QGGMRF(0.1, q=0.9)
