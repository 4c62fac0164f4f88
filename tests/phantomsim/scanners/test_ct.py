from typing import Any

import numpy as np
import pytest
import xarray as xr

from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.water_cylinder import WaterCylinder
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.recon.fbp import FBP
from phantomsim.scanners.ct import CT
from phantomsim.scanners.ct_spec import CTTake, CTTruth
from phantomsim.tissues import get

KEY = Key(7)
COMMON = {"n_views": 360, "n_columns": 384}
GEOMETRIES: dict[str, dict[str, Any]] = {
    "parallel": {"kind": "parallel", "pitch_mm": 0.8, **COMMON},
    "fan-flat": {
        "kind": "fan-flat",
        "pitch_mm": 1.5,
        "source_to_axis_mm": 541.0,
        "source_to_detector_mm": 949.0,
        **COMMON,
    },
    "fan-arc": {
        "kind": "fan-arc",
        "pitch_mm": 1.5,
        "column_offset": 0.25,
        "source_to_axis_mm": 541.0,
        "source_to_detector_mm": 949.0,
        **COMMON,
    },
}


def scanner(kind: str = "fan-arc", **detector: Any) -> CT:
    return CT.model_validate(
        {
            "kind": "ct",
            "geometry": GEOMETRIES[kind],
            "tube": {"kvp": 120.0, "rotation_mas": 200.0, "filter_al_mm": 6.0},
            "detector": {"kind": "energy-integrating", **detector},
        }
    )


def cylinder(**fields: Any) -> Phantom:
    return WaterCylinder.model_validate({"kind": "water-cylinder", **fields}).generate(KEY)


def hu(data: xr.Dataset, grid: Grid) -> np.ndarray[Any, Any]:
    return FBP(filter="hann", unit="hu").reconstruct({"data": data}, grid).values[0]


@pytest.mark.parametrize("kind", GEOMETRIES)
def test_expected_ct_number_of_a_water_cylinder_is_zero_inside_and_air_is_minus_1000(kind: str) -> None:
    grid = Grid((1, 129, 129), (1e-3, 2e-3, 2e-3))
    scan = scanner(kind)
    data = scan.detect(scan.simulate(cylinder(), KEY), CTTake(), None)
    image = hu(data, grid)
    y, x = np.meshgrid(grid.coordinates(1), grid.coordinates(2), indexing="ij")
    radius = np.hypot(y, x)
    assert image[radius < 0.09].mean() == pytest.approx(0.0, abs=1.0)
    assert abs(image[radius < 0.02].mean() - image[(radius > 0.07) & (radius < 0.09)].mean()) < 1.0  # no cupping
    assert image[(radius > 0.11) & (radius < 0.12)].mean() == pytest.approx(-1000.0, abs=3.0)


def test_line_integrals_of_water_are_its_chords_times_its_attenuation_at_the_reference_energy() -> None:
    scan = scanner(electronic_noise_kev=0.0)
    signal = scan.simulate(cylinder(), KEY)
    data = scan.detect(signal, CTTake(), None)
    water, air = get("water"), get("air")
    materials = [(water.density, water.mass_fractions), (air.density, air.mass_fractions)]
    mu = linear_attenuation(materials, np.array([scan.reference_kev]))[:, 0]
    chords = signal["path_length"].sel(material="water").values
    # 2e-4: 1e-4 of the energy quadrature and 1e-5 of the correction, in float32, at line integrals up to 4
    np.testing.assert_allclose(data["line_integral"], (mu[0] - mu[1]) * chords, atol=4e-4)
    assert data.attrs["mu_water_per_m"] == pytest.approx(mu[0] - mu[1], rel=1e-12)


def test_noise_of_a_take_has_the_mean_of_its_expectation() -> None:
    scan = scanner()
    signal = scan.simulate(cylinder(), KEY)
    expected = scan.detect(signal, CTTake(), None)["reading"].values.astype(np.float64)
    drawn = scan.detect(signal, CTTake(), KEY.fold("noise"))["reading"].values.astype(np.float64)
    assert drawn.dtype != expected.dtype or np.any(drawn != expected)
    residual = (drawn - expected).ravel()
    assert abs(residual.mean()) < 4 * residual.std() / np.sqrt(residual.size)


def test_lower_exposure_scales_the_reading_and_raises_the_variance_of_the_log_data() -> None:
    scan = scanner(electronic_noise_kev=0.0)
    signal = scan.simulate(cylinder(), KEY)
    full = scan.detect(signal, CTTake(exposure=1.0), KEY.fold("a"))
    low = scan.detect(signal, CTTake(exposure=0.1), KEY.fold("b"))
    expected = scan.detect(signal, CTTake(), None)["line_integral"].values
    middle = (slice(None), slice(None), slice(150, 234))
    ratio = np.var((low["line_integral"].values - expected)[middle]) / np.var(
        (full["line_integral"].values - expected)[middle]
    )
    n = expected[middle].size
    assert ratio == pytest.approx(10.0, rel=4 * np.sqrt(4 / n) + 0.01)  # variance of log data is 1 / dose


def test_the_same_key_gives_the_same_reading_and_another_key_another() -> None:
    scan = scanner()
    signal = scan.simulate(cylinder(), KEY)
    first, again, other = (scan.detect(signal, CTTake(), KEY.fold(name))["reading"] for name in ("a", "a", "b"))
    assert first.equals(again)
    assert not first.equals(other)


def test_a_sparse_take_of_a_take_keeps_the_noise_of_the_views_it_keeps() -> None:
    scan = scanner()
    full = scan.detect(scan.simulate(cylinder(), KEY), CTTake(), KEY)
    sparse = scan.detect(full, CTTake(keep_every=4), KEY.fold("unused"))
    xr.testing.assert_equal(sparse["reading"], full["reading"][::4])
    grid = Grid((1, 64, 64), (1e-3, 4e-3, 4e-3))
    assert abs(hu(sparse, grid)[24:40, 24:40].mean()) < 5.0  # the geometry in the data follows the views


def test_pixels_at_the_ends_of_a_flat_panel_see_fewer_photons_by_the_cube_of_the_cosine() -> None:
    scan = scanner("fan-flat", electronic_noise_kev=0.0)
    signal = scan.simulate(cylinder(diameter_mm=10.0), KEY)
    reading = scan.detect(signal, CTTake(), None)["reading"].values[0, 0]
    cosine = np.cos(np.arctan(signal["column"].values / 0.949))
    air = np.abs(signal["column"].values) > 0.02
    np.testing.assert_allclose((reading / cosine**3)[air], (reading / cosine**3)[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("take", "message"),
    [
        ({"exposure": 2.0}, "saturates"),
        ({"keep_every": 7}, "does not divide 360 views"),
    ],
)
def test_takes_that_cannot_be_are_refused(take: dict[str, Any], message: str) -> None:
    scan = scanner()
    with pytest.raises(RecipeError, match=message):
        scan.detect(scan.simulate(cylinder(), KEY), CTTake(**take), KEY)


def test_the_dose_of_a_reading_cannot_change() -> None:
    scan = scanner()
    full = scan.detect(scan.simulate(cylinder(), KEY), CTTake(), KEY)
    with pytest.raises(RecipeError, match="a reading has its dose"):
        scan.detect(full, CTTake(exposure=0.5), KEY)


def test_truth_of_water_is_0_hu_of_air_minus_1000_and_of_mu_the_difference_to_air() -> None:
    grid = Grid((1, 8, 8), (1e-3, 5e-3, 5e-3))
    outside = Grid((1, 4, 4), (1e-3, 1e-3, 1e-3), (0.0, 0.2, 0.0))
    scan, phantom = scanner(), cylinder()
    np.testing.assert_allclose(scan.truth(phantom, CTTruth(map="hu"), grid), 0.0, atol=0.05)
    np.testing.assert_allclose(scan.truth(phantom, CTTruth(map="hu"), outside), -1000.0, atol=1e-3)
    np.testing.assert_allclose(scan.truth(phantom, CTTruth(map="density"), grid), get("water").density, rtol=1e-6)
    # NIST XCOM: mu of water at 70 keV is 19.29 /m, of air 0.021 /m
    np.testing.assert_allclose(scan.truth(phantom, CTTruth(map="mu", energy_kev=70.0), grid), 19.27, rtol=2e-3)


def test_the_operator_comes_from_the_data_alone_and_projects_the_truth_onto_the_line_integrals() -> None:
    grid = Grid((1, 256, 256), (1e-3, 1e-3, 1e-3))
    scan, phantom = scanner(), cylinder()
    data = scan.detect(scan.simulate(phantom, KEY), CTTake(), None)
    truth = scan.truth(phantom, CTTruth(map="mu", energy_kev=scan.reference_kev), grid)
    projected = scan.operator(data, grid)(truth.values)
    measured = data["line_integral"].values
    error = np.linalg.norm(projected - measured) / np.linalg.norm(measured)
    assert error < 5e-3  # voxels of 1 mm at the rim of a 200 mm cylinder


def test_a_row_for_each_plane() -> None:
    scan = scanner().model_copy(update={"n_rows": 3, "row_spacing_mm": 60.0})
    phantom = cylinder(length_mm=100.0)
    lengths = scan.simulate(phantom, KEY)["path_length"].sel(material="water")
    np.testing.assert_allclose(scan.rows, [-0.06, 0.0, 0.06])
    assert float(lengths[:, 1].max()) == pytest.approx(0.2, rel=1e-4)
    assert float(lengths[:, [0, 2]].max()) == 0.0


@pytest.mark.parametrize("geometry", ["fan-arc", "fan-flat"])
def test_water_is_zero_behind_a_bowtie_and_the_edge_is_read_with_fewer_photons(geometry: str) -> None:
    fields = {"kind": "ct", "geometry": GEOMETRIES[geometry], "detector": {"kind": "energy-integrating"}}
    fields["tube"] = {"kvp": 120.0, "rotation_mas": 200.0, "filter_al_mm": 6.0}
    bare, filtered = (CT.model_validate(fields | {"bowtie": size}) for size in (None, "medium"))
    phantom, grid = cylinder(diameter_mm=200), Grid((1, 64, 64), (1e-3, 2e-3, 2e-3))
    data = filtered.detect(filtered.simulate(phantom, KEY), CTTake(), None)
    inside = np.hypot(*np.meshgrid(grid.coordinates(1), grid.coordinates(2))) < 0.055
    assert hu(data, grid)[inside] == pytest.approx(0, abs=1.5)
    noise = []
    for scan in (bare, filtered):
        signal = scan.simulate(cylinder(diameter_mm=1), KEY)
        reading = scan.detect(signal, CTTake(), Key(1))["line_integral"].values[:, 0]
        noise.append(reading.std(axis=0))
    middle, edge = slice(180, 204), slice(20, 60)
    assert noise[1][edge].mean() > 1.5 * noise[0][edge].mean()
    assert noise[1][middle].mean() < 1.2 * noise[0][middle].mean()


def test_a_parallel_beam_has_no_bowtie() -> None:
    with pytest.raises(ValueError, match="bowtie = 'small' needs a fan or a cone beam"):
        CT.model_validate(scanner("parallel").model_dump() | {"bowtie": "small"})


def test_a_detector_with_errors_of_gain_makes_rings_and_another_seed_other_rings() -> None:
    phantom, grid = cylinder(diameter_mm=200), Grid((1, 128, 128), (1e-3, 1.2e-3, 1.2e-3))
    images = {}
    for name, effects in (("none", None), ("one", {"gain_error": 0.01}), ("two", {"gain_error": 0.01, "seed": 1})):
        scan = scanner("fan-flat", effects=effects)
        images[name] = hu(scan.detect(scan.simulate(phantom, KEY), CTTake(), None), grid)
    y, x = np.meshgrid(grid.coordinates(1), grid.coordinates(2), indexing="ij")
    radius = np.hypot(y, x)
    rings, others = (images[name] - images["none"] for name in ("one", "two"))
    shells = [rings[(radius >= r) & (radius < r + 1.2e-3)] for r in np.arange(10e-3, 60e-3, 1.2e-3)]
    between = np.var([shell.mean() for shell in shells])
    within = np.mean([shell.var() for shell in shells])
    assert between > 0.3 * within  # along a circle a ring stays
    assert np.abs(np.corrcoef(rings[radius < 0.06], others[radius < 0.06])[0, 1]) < 0.3


def test_afterglow_and_crosstalk_leave_water_at_zero() -> None:
    effects = {"optical_crosstalk": (0.02, 0.03), "afterglow": ((0.02, 5.0),), "gain_spread": 0.02}
    scan, grid = scanner("fan-flat", effects=effects), Grid((1, 64, 64), (1e-3, 2e-3, 2e-3))
    data = scan.detect(scan.simulate(cylinder(diameter_mm=200), KEY), CTTake(), None)
    inside = np.hypot(*np.meshgrid(grid.coordinates(1), grid.coordinates(2))) < 0.05
    assert hu(data, grid)[inside].mean() == pytest.approx(0, abs=6)  # the first views lack what glows on


def test_impossible_effects_are_refused() -> None:
    with pytest.raises(ValueError, match="column_share must lie within 0 and"):
        scanner(effects={"optical_crosstalk": (0.0, 0.7)})
