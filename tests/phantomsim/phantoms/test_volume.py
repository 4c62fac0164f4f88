import numpy as np
import pytest

from phantomsim.phantoms.hounsfield import hounsfield, scale
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.volume import LabelBody, MixtureBody, resample
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.geometry import Rays
from phantomsim.tissues import get

SOURCE = Grid((6, 7, 8), (0.003, 0.002, 0.001), (0.01, -0.02, 0.005))
COVERING = [
    Grid((20, 20, 20), (0.0013, 0.0011, 0.0007), (0.0105, -0.0203, 0.0049)),
    Grid((5, 6, 7), (0.0071, 0.0053, 0.0031), (0.011, -0.021, 0.005)),
    Grid((6, 14, 4), (0.003, 0.001, 0.002), (0.01, -0.02, 0.005)),
]


@pytest.mark.parametrize("target", COVERING)
def test_resampling_conserves_volume(target: Grid) -> None:
    values = np.random.default_rng(0).random(SOURCE.shape)
    found = resample(values, SOURCE, target).sum() * np.prod(target.spacing)
    assert found == pytest.approx(values.sum() * np.prod(SOURCE.spacing), rel=1e-9)


def test_resampling_is_the_mean_over_each_voxel() -> None:
    """Against 60 points along each axis of a voxel: their spread bounds the error at one point in 60 of a voxel."""
    values = np.random.default_rng(1).random(SOURCE.shape)
    target = Grid((3, 2, 4), (0.0047, 0.0071, 0.0013), (0.012, -0.019, 0.006))
    found = resample(values, SOURCE, target)
    n = 60
    expected = values
    for axis in range(3):
        points = target.lower[axis] + target.spacing[axis] * (np.arange(n * target.shape[axis]) + 0.5) / n
        index = np.floor((points - SOURCE.lower[axis]) / SOURCE.spacing[axis]).astype(int)
        held = np.where((index >= 0) & (index < SOURCE.shape[axis]), 1.0, 0.0)
        shape = [1, 1, 1]
        shape[axis] = -1
        taken = expected.take(np.clip(index, 0, SOURCE.shape[axis] - 1), axis) * held.reshape(shape)
        new = list(taken.shape)
        new[axis : axis + 1] = [target.shape[axis], n]
        expected = taken.reshape(new).mean(axis=axis + 1)
    assert np.abs(found - expected).max() < 3 / n


def test_the_same_grid_gives_the_same_values() -> None:
    values = np.random.default_rng(2).random(SOURCE.shape).astype(np.float32)
    assert resample(values, SOURCE, SOURCE) is values
    same = Grid(SOURCE.shape, SOURCE.spacing, (SOURCE.centre[0] + 1e-15, *SOURCE.centre[1:]))
    assert resample(values, SOURCE, same) == pytest.approx(values, rel=1e-6)


def test_labels_become_fractions_that_sum_to_one_with_background_outside() -> None:
    labels = np.random.default_rng(3).integers(0, 3, SOURCE.shape).astype(np.uint16)
    phantom = Phantom((get("air"), get("liver"), get("tumor")), LabelBody(labels, SOURCE))
    own = phantom.fractions(SOURCE).values
    assert np.array_equal(own.argmax(axis=0), labels)
    for target in COVERING:
        found = phantom.fractions(target).values
        assert np.abs(found.sum(axis=0, dtype=np.float64) - 1).max() < 1e-6
        assert found[2].sum() * np.prod(target.spacing) == pytest.approx(
            np.count_nonzero(labels == 2) * np.prod(SOURCE.spacing), rel=1e-5
        )
    outside = Grid((2, 2, 2), (0.001, 0.001, 0.001), (1.0, 1.0, 1.0))
    assert (phantom.fractions(outside).values[0] == 1).all()


def test_ct_numbers_come_back_at_the_energy_of_the_scale() -> None:
    tissues, nodes = scale()
    assert list(nodes) == sorted(nodes)
    values = np.linspace(-1000, nodes[-1], 6 * 7 * 8).reshape(SOURCE.shape).astype(np.float32)
    phantom = Phantom(tissues, MixtureBody(values, SOURCE, nodes))
    assert phantom.map(hounsfield, SOURCE) == pytest.approx(values, abs=0.01)


def test_ct_numbers_beyond_the_scale_are_its_ends() -> None:
    tissues, nodes = scale()
    values = np.array([-3024.0, -1000.0, 4000.0, 30000.0], np.float32).reshape(1, 1, 4)
    phantom = Phantom(tissues, MixtureBody(values, Grid((1, 1, 4), (1, 1, 1)), nodes))
    found = phantom.fractions(Grid((1, 1, 4), (1, 1, 1))).values[:, 0, 0]
    assert found[:, 0] == pytest.approx([1, 0, 0, 0, 0, 0])
    assert found[:, 3] == pytest.approx([0, 0, 0, 0, 0, 1])


def test_ct_numbers_of_tissues_are_those_of_the_literature() -> None:
    """Water and air by definition; fat, muscle and bone in the ranges of Schneider 2000, table 1."""
    assert hounsfield(get("air")) == pytest.approx(-1000)
    assert hounsfield(get("water")) == pytest.approx(0)
    assert -120 < hounsfield(get("adipose")) < -60
    assert 20 < hounsfield(get("muscle")) < 80
    assert 1400 < hounsfield(get("cortical_bone")) < 1700


def test_a_volume_has_no_exact_path_lengths_and_says_so() -> None:
    body = LabelBody(np.zeros(SOURCE.shape, np.uint16), SOURCE)
    phantom = Phantom((get("air"),), body)
    assert not phantom.exact
    assert phantom.body.grid == SOURCE
    with pytest.raises(ShapeError, match="project its fractions"):
        phantom.path_lengths(Rays(np.zeros((1, 3)), np.ones((1, 3))))


def test_values_must_fit_their_grid() -> None:
    with pytest.raises(ShapeError, match="do not fit"):
        LabelBody(np.zeros((2, 2, 2), np.uint16), SOURCE)


def test_points_ask_the_voxel_that_holds_them():
    rng = np.random.default_rng(3)
    labels, grid = rng.integers(0, 4, (4, 5, 6)).astype(np.uint8), Grid((4, 5, 6), (0.002, 0.001, 0.003), (0.0, 0.1, 0))
    centres = np.stack(np.meshgrid(*(grid.coordinates(a) for a in range(3)), indexing="ij"), axis=-1)
    body = LabelBody(labels, grid)
    shift = rng.uniform(-0.499, 0.499, centres.shape) * grid.spacing
    np.testing.assert_array_equal(body.materials(centres + shift, "cpu"), labels)
    assert body.materials(np.asarray(grid.lower) - 1e-6, "cpu") == 0
    assert body.materials(np.full((2, 3), 0.5), "cpu").tolist() == [0, 0]


def test_a_point_of_a_mixture_has_the_material_of_its_largest_fraction():
    rng = np.random.default_rng(4)
    grid = Grid((3, 8, 8), (0.001,) * 3)
    body = MixtureBody(rng.uniform(-0.5, 2.5, grid.shape).astype(np.float32), grid, (0.0, 1.0, 2.0))
    centres = np.stack(np.meshgrid(*(grid.coordinates(a) for a in range(3)), indexing="ij"), axis=-1)
    np.testing.assert_array_equal(body.materials(centres, "cpu"), body.fractions(grid, 3, "cpu").argmax(axis=0))
