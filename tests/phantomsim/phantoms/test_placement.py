import numpy as np
import pytest

from phantomsim.phantoms.placement import Lesions, between, integer_between, place_lesions
from phantomsim.phantoms.scene import Part
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import box, capsule, cone, cylinder, ellipsoid, turn
from phantomsim.tissues import get
from tests.scenes import held

HOSTS = [
    ellipsoid((0.0, 0.0, -0.1), (0.03, 0.05, 0.04), turn("z", 0.4)),
    cylinder((0.01, 0.0, 0.0), (0.03, 0.03, 0.03), turn("x", 0.3)),
    box((0.0, 0.0, 0.1), (0.03, 0.03, 0.04), turn("y", 0.5)),
    cone((0.0, 0.1, 0.0), (0.05, 0.05, 0.05), 0.4),
    capsule((0.0, -0.1, 0.0), (0.06, 0.03, 0.03), turn("y", 1.2)),
]
VESSEL = capsule((0.0, 0.0, -0.1), (0.03, 0.002, 0.002))
PARTS = [Part(shape, get("liver"), "liver") for shape in HOSTS] + [Part(VESSEL, get("blood"), "vessel")]


def surface(centre: np.ndarray, radius: float) -> np.ndarray:
    directions = np.random.default_rng(0).normal(size=(2000, 3))
    return centre + radius * directions / np.linalg.norm(directions, axis=1, keepdims=True)


@pytest.mark.parametrize("depth", [0.0, 50.0])
def test_lesions_lie_inside_one_host_clear_of_later_parts_and_of_each_other(depth: float) -> None:
    lesions = Lesions(count=3, diameter_mm=(4, 20), depth_mm=depth)
    for seed in range(100):
        placed, rows = place_lesions(lesions, PARTS, ("liver",), Key(seed))
        for part, row in zip(placed, rows, strict=True):
            ball = surface(np.asarray(row["centre_mm"]) / 1000, row["diameter_mm"] / 2000)
            assert held(HOSTS, ball).all(axis=1).any()
            assert not held([VESSEL], ball).any()
            assert part.shape.semi_axes[0] == pytest.approx(row["diameter_mm"] / 2000)
            assert part.shape.centre == pytest.approx(np.asarray(row["centre_mm"]) / 1000)
            assert 4 <= row["diameter_mm"] <= 20
            assert abs(row["centre_mm"][0]) <= depth / 2
        for i, a in enumerate(rows):
            for b in rows[:i]:
                apart = np.linalg.norm(np.subtract(a["centre_mm"], b["centre_mm"]))
                assert apart > (a["diameter_mm"] + b["diameter_mm"]) / 2


def test_one_more_lesion_leaves_the_others_where_they_are() -> None:
    few, many = (place_lesions(Lesions(count=n), PARTS, ("liver",), Key(3))[1] for n in (2, 5))
    assert many[:2] == few


def test_a_lesion_that_fits_nowhere_is_an_error() -> None:
    with pytest.raises(RecipeError, match=r"no place for a lesion of 90.0 mm inside liver"):
        place_lesions(Lesions(count=1, diameter_mm=(90, 90)), PARTS, ("liver",), Key(0))


def test_numbers_are_drawn_evenly_between_their_limits() -> None:
    numbers = [between(Key(i), (2.0, 5.0)) for i in range(400)]
    assert 2 < min(numbers) < 2.1
    assert 4.9 < max(numbers) < 5
    assert abs(np.mean(numbers) - 3.5) < 4 * 3 / np.sqrt(12 * 400)
    assert {integer_between(Key(i), (1, 3)) for i in range(60)} == {1, 2, 3}
