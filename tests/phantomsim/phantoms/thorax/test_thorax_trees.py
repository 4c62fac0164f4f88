import numpy as np
import pytest

from phantomsim.phantoms.thorax.trees import ends, grow
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import ellipsoid

LUNG = ellipsoid((0.0, 0.0, 0.0), (0.12, 0.08, 0.06))
HEART = ellipsoid((-0.04, -0.03, 0.05), (0.05, 0.05, 0.05))
TARGETS = ends(100, [LUNG], [HEART], Key(1))


def test_every_fork_obeys_murrays_law() -> None:
    tree = grow((0.0, 0.0, 0.05), TARGETS, 0.006, Key(2))
    for index, branch in enumerate(tree):
        children = [child for child in tree if child.parent == index]
        if children:
            assert len(children) == 2
            assert sum(child.radius**3 for child in children) == pytest.approx(branch.radius**3, rel=1e-12)
            assert all(child.start == branch.end for child in children)


def test_a_tree_ends_once_at_every_target() -> None:
    tree = grow((0.0, 0.0, 0.05), TARGETS, 0.006, Key(2))
    inner = {branch.parent for branch in tree}
    leaves = {branch.end for index, branch in enumerate(tree) if index not in inner}
    assert len(tree) == 2 * len(TARGETS) - 1
    assert tree[0].radius == 0.006
    np.testing.assert_allclose(sorted(leaves), sorted(map(tuple, TARGETS)), atol=1e-15)


def test_ends_lie_in_the_lung_clear_of_the_heart_and_apart_and_leave_no_large_gap() -> None:
    assert len(TARGETS) == 100
    assert LUNG.holds(TARGETS).all()
    assert not HEART.holds(TARGETS).any()
    apart = np.linalg.norm(TARGETS[:, None] - TARGETS[None], axis=-1) + np.eye(100)
    assert apart.min() > 0.010
    inside = np.random.default_rng(0).uniform(-0.12, 0.12, (4000, 3))
    inside = inside[LUNG.holds(inside) & ~HEART.holds(inside)]
    assert np.linalg.norm(inside[:, None] - TARGETS[None], axis=-1).min(axis=1).max() < 0.045


def test_a_tree_without_targets_has_no_branches() -> None:
    assert grow((0.0, 0.0, 0.0), np.empty((0, 3)), 0.006, Key(0)) == []
