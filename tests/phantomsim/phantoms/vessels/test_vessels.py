import json

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.vessels.vessels import NAMES, RandomVessels
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.flow.network import VesselFlow
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import Rays

ALL = {"fusiform_aneurysms": 1, "calcified": 1.0, "vessels": 31}


def spec(**fields) -> RandomVessels:  # type: ignore[no-untyped-def]
    return RandomVessels(kind="vessels", **fields)


def chord(phantom: Phantom, row, across, reach: float) -> float:  # type: ignore[no-untyped-def]
    """Return the exact length of blood [mm] along a line through a row's centre, `reach` [mm] to each side."""
    centre = 1e-3 * np.asarray(row["centre_mm"])
    offset = 1e-3 * reach * np.asarray(across)
    line = Rays((centre - offset).reshape(1, 1, 1, 3), (centre + offset).reshape(1, 1, 1, 3))
    lengths = phantom.path_lengths(line).reshape(-1)
    return 1e3 * float(sum(x for x, t in zip(lengths, phantom.tissues, strict=True) if t.name.startswith("blood")))


def across(flow: VesselFlow, row) -> np.ndarray:  # type: ignore[no-untyped-def,type-arg]
    """Return a unit vector across the vessel at the centre of a row's lesion."""
    tube = flow.tubes[row["vessel"]]
    _, first, _ = tube.curve(tube.foot(1e-3 * np.asarray([row["centre_mm"]])))
    side = np.cross(first[0], [0.37, -0.61, 0.7])
    return np.asarray(side / np.linalg.norm(side))


def test_the_same_key_makes_the_same_tree_and_the_same_flow() -> None:
    first, again, other = (spec(vessels=15).generate(Key(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first.truths == again.truths
    assert first.body != other.body
    assert spec(vessels=15).flow(Key(1)) == spec(vessels=15).flow(Key(1))
    assert len(spec(vessels=15).flow(Key(1)).tubes) == first.truths["anatomy"][0]["vessels"]


def test_trees_of_any_shape_make_valid_scenes_with_all_that_was_asked_for() -> None:
    for seed in range(24):
        shape = ("cylinder", "ellipsoid", "box")[seed % 3]
        phantom = spec(vessels=9, fusiform_aneurysms=seed % 2, shape=shape).generate(Key(seed))
        assert len(phantom.truths["stenoses"]) == 1
        assert len(phantom.truths["aneurysms"]) == 1 + seed % 2
        assert phantom.body.shapes[0].holds(np.asarray([part.centre for part in phantom.body.shapes])).all()


def test_truths_are_plain_numbers_and_parts_have_names() -> None:
    phantom = spec(**ALL).generate(Key(3))
    assert json.loads(json.dumps({k: list(v) for k, v in phantom.truths.items()})) == {
        k: list(v) for k, v in phantom.truths.items()
    }
    assert set(phantom.body.names) == set(NAMES)
    assert phantom.truths["vessels"][0]["parent"] == -1
    assert {row["kind"] for row in phantom.truths["aneurysms"]} == {"fusiform", "saccular"}


def test_flows_of_every_fork_add_up_and_follow_the_radii() -> None:
    rows = spec(vessels=31, murray_exponent=(2.7, 2.7)).generate(Key(4)).truths["vessels"]
    for row in rows:
        below = [child["flow_ml_s"] for child in rows if child["parent"] == row["index"]]
        assert not below or sum(below) == pytest.approx(row["flow_ml_s"], rel=1e-12)
        assert row["flow_ml_s"] / rows[0]["flow_ml_s"] == pytest.approx(
            (row["radius_mm"] / rows[0]["radius_mm"]) ** 2.7, rel=1e-12
        )


def test_exact_paths_measure_the_degree_of_a_stenosis_and_the_width_of_an_aneurysm() -> None:
    """Cones between cuts differ from the cosine by at most 1.5 % of the radius."""
    for seed in range(3):
        recipe = spec(**ALL, stenosis_percent=(60.0, 60.0))
        phantom, flow = recipe.generate(Key(seed)).without(["calcification"]), recipe.flow(Key(seed))
        (row,) = phantom.truths["stenoses"]
        side = across(flow, row)
        narrow = chord(phantom, row, side, 0.6 * row["diameter_mm"])
        healthy = chord(phantom.without(["stenosis"]), row, side, 0.6 * row["diameter_mm"])
        assert healthy == pytest.approx(row["diameter_mm"], rel=0.02)
        assert 100 * (1 - narrow / healthy) == pytest.approx(60, abs=1.5)
        (wide,) = (row for row in phantom.truths["aneurysms"] if row["kind"] == "fusiform")
        found = chord(phantom, wide, across(flow, wide), 0.52 * wide["diameter_mm"])
        assert found == pytest.approx(wide["diameter_mm"], rel=0.02)


def test_voxels_hold_the_volume_of_the_tubes() -> None:
    """A lone vessel with a stenosis: ∫ π r² ds; the chain of cones loses less than 1 %."""
    recipe = spec(vessels=1, saccular_aneurysms=0, size_mm=(80.0, 40.0, 40.0))
    phantom, tube = recipe.generate(Key(5)), recipe.flow(Key(5)).tubes[0]
    u = (np.arange(2000) + 0.5) / 2000
    volume = float((np.pi * tube.radius(u)[0] ** 2 * np.linalg.norm(tube.curve(u)[1], axis=1)).mean())
    values = phantom.fractions(Grid((200, 50, 50), (0.0004,) * 3)).values
    index = [tissue.name for tissue in phantom.tissues].index("blood")
    assert float(values[index].sum()) * 0.0004**3 == pytest.approx(volume, rel=0.01)


def test_blood_moves_where_the_phantom_has_blood_and_nowhere_else() -> None:
    """Tube and chain of cones part by 1.5 % of the radius, so that points near a wall may disagree: 3 % of them."""
    recipe = spec(vessels=31)
    phantom, flow = recipe.generate(Key(6)), recipe.flow(Key(6))
    points = np.random.default_rng(0).uniform((-0.05, -0.04, -0.04), (0.05, 0.04, 0.04), (400_000, 3))
    blood = phantom.materials(points) == [tissue.name for tissue in phantom.tissues].index("blood")
    assert blood.sum() > 600
    assert (blood != flow.holds(points)).sum() < 0.03 * blood.sum()


def test_the_flow_of_a_whole_tree_is_free_of_divergence() -> None:
    """Points all along each vessel, its fork, stenosis and aneurysm; the walls' kinks lie between few steps of 2 nm."""
    flow, rng, points = spec(**ALL).flow(Key(7)), np.random.default_rng(1), []
    for tube in flow.tubes:
        u, rho, phi = rng.uniform(0.001, 0.999, 60), np.sqrt(rng.uniform(0, 1, 60)), rng.uniform(0, 2 * np.pi, 60)
        c, first, _ = tube.curve(u)
        a = np.cross(first, [0.2, 0.7, -0.6])
        b = np.cross(first, a)
        a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
        radius = (rho * tube.radius(u)[0])[:, None]
        points.append(c + radius * (np.cos(phi)[:, None] * a + np.sin(phi)[:, None] * b))
    places, step = np.concatenate(points), 2e-9
    jacobian = np.stack(
        [(flow.velocity(places + s, 0.1) - flow.velocity(places - s, 0.1)) / (2 * step) for s in step * np.eye(3)],
        axis=-1,
    )
    local = np.linalg.norm(jacobian, axis=(1, 2))
    assert (np.abs(np.trace(jacobian, axis1=1, axis2=2)) <= 1e-3 * local).all()


def test_contrast_agents_are_in_the_blood() -> None:
    phantom = spec(vessels=3, saccular_aneurysms=0, iodine_mg_ml=(8.0, 8.0), gadolinium_mmol_l=(2.0, 2.0)).generate(
        Key(0)
    )
    (blood,) = (tissue for tissue in phantom.tissues if tissue.name.startswith("blood"))
    assert blood.mass_fractions["I"] * blood.density == pytest.approx(8.0, rel=1e-6)
    assert blood.mass_fractions["Gd"] * blood.density == pytest.approx(2 * 0.15725, rel=1e-3)
    assert blood.mr is not None
    assert blood.mr.relaxation[0].t1 == pytest.approx(1 / (1 / 1.441 + 4.1 * 2), rel=1e-3)


def test_changing_the_lesions_leaves_the_tree() -> None:
    bare = spec(vessels=15, stenoses=0, saccular_aneurysms=0).tree(Key(8)).vessels
    full = spec(vessels=15, stenoses=1, calcified=1.0).tree(Key(8)).vessels
    assert [(v.tube.control, v.parent) for v in bare] == [(v.tube.control, v.parent) for v in full]


def test_more_lesions_than_vessels_are_refused() -> None:
    with pytest.raises(RecipeError, match="larger tree"):
        spec(vessels=1, stenoses=2, saccular_aneurysms=0).generate(Key(0))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"root_radius_mm": (3.0, 2.0)}, "smallest, largest"),
        ({"murray_exponent": (2.0, 3.0)}, "run on as one"),
        ({"smallest_radius_mm": 2.5}, "above root_radius_mm"),
        ({"size_mm": (40.0, 80.0, 80.0)}, "does not fit into"),
        ({"stenosis_percent": (50.0, 100.0)}, "percent of the diameter"),
        ({"velocity_m_s": (0.1, 20.0)}, "mean velocity"),
        ({"tissue": "muscel"}, "muscle"),
        ({"pulsatility": 2.0}, "less than or equal to 1"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=says):
        spec(**fields)
