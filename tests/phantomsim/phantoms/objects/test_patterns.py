"""Disks, star, contrast-detail, edge and wire: each against its definition."""

from math import pi

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.objects.contrast_detail import ContrastDetail
from phantomsim.phantoms.objects.defrise import Defrise
from phantomsim.phantoms.objects.edge_wire import EdgeWire
from phantomsim.phantoms.objects.siemens_star import SiemensStar
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.geometry import Rays
from phantomsim.tissues import get


def test_disks_have_their_thickness_and_period() -> None:
    phantom = Defrise(kind="defrise").generate(Key(0))
    ray = Rays(np.array([[-1.0, 0.0, 0.03]]), np.array([[1.0, 0.0, 0.03]]))
    assert phantom.path_lengths(ray)[0].tolist() == pytest.approx([0, 12 * 0.008 + 0.006, 13 * 0.008])
    profile = phantom.fractions(Grid((2000, 1, 1), (1e-4, 1e-3, 1e-3))).values[2, :, 0, 0]
    assert profile.sum() * 1e-4 == pytest.approx(0.104)
    spectrum = np.abs(np.fft.rfft(profile - profile.mean(), 1 << 16))
    assert np.fft.rfftfreq(1 << 16, 1e-4)[spectrum.argmax()] == pytest.approx(1 / 0.016, rel=0.01)


@pytest.mark.parametrize("n", [3, 12, 36, 45])
def test_a_star_has_its_number_of_spokes_at_every_radius(n: int) -> None:
    """Around a circle the rule of the scene, asked of each point, changes 2 n times, a spoke on +x; n odd and even."""
    phantom = SiemensStar(kind="siemens-star", n_spokes=n).generate(Key(0))
    scene = phantom.body
    angles = 2 * pi * np.arange(7200) / 7200 + 1e-5
    for radius in (0.0025, 0.02, 0.049):
        points = radius * np.column_stack([np.zeros(7200), np.sin(angles), np.cos(angles)])
        covered = np.stack([shape.holds(points) for shape in scene.shapes])  # type: ignore[attr-defined]
        total = np.asarray(scene.codes) @ covered  # type: ignore[attr-defined]
        spoke = np.array([scene.sums[t] for t in total]) == 2  # type: ignore[attr-defined]
        assert np.array_equal(spoke, np.cos(n * angles) > 0)


def test_spokes_fill_half_the_ring_and_the_hub() -> None:
    phantom = SiemensStar(kind="siemens-star", n_spokes=24).generate(Key(0))
    values = phantom.fractions(Grid((1, 600, 600), (0.001, 0.0002, 0.0002))).values
    areas = values.sum(axis=(1, 2, 3)) * 0.04
    spokes = pi * 2**2 + pi * (50**2 - 2**2) / 2
    assert areas[2] == pytest.approx(spokes, rel=1e-3)
    assert areas[1] == pytest.approx(pi * 60**2 - spokes, rel=1e-3)


def test_details_have_their_contrast_in_hu() -> None:
    phantom = ContrastDetail(kind="contrast-detail", contrast_hu=(-10.0, 3.0, 20.0)).generate(Key(0))
    tissues = {tissue.name: tissue for tissue in phantom.tissues}
    energies = np.array([50.0, 100.0])
    water = linear_attenuation([(get("water").density, get("water").mass_fractions)], energies)[0]
    assert len(phantom.truths["inserts"]) == 18
    for row in phantom.truths["inserts"]:
        tissue = tissues[row["tissue"]]
        mu = linear_attenuation([(tissue.density, tissue.mass_fractions)], energies)[0]
        assert 1000 * (mu / water - 1) == pytest.approx(row["contrast_hu"])
        _, y, x = (1e-3 * c for c in row["centre_mm"])
        across = Rays(np.array([[0.0, y - 0.0124, x]]), np.array([[0.0, y + 0.0124, x]]))
        lengths = phantom.path_lengths(across)[0]
        assert lengths[phantom.tissues.index(tissue)] == pytest.approx(1e-3 * row["diameter_mm"], rel=1e-5)


def test_an_edge_leans_by_its_slant_and_a_wire_has_its_area() -> None:
    phantom = EdgeWire(kind="edge-wire").generate(Key(0))
    block = phantom.fractions(Grid((1, 20, 600), (1e-3, 1e-3, 1e-4), (0.0, 0.0, -0.035))).values[2, 0]
    border = np.array([row[:300].sum() for row in block]) * 1e-4  # how far it reaches to the left of its middle
    slope = np.polyfit(np.arange(20) * 1e-3, border, 1)[0]
    assert abs(slope) == pytest.approx(np.tan(np.radians(3)), rel=1e-3)
    wire = phantom.fractions(Grid((1, 40, 40), (1e-3, 1e-5, 1e-5), (0.0, 0.0, 0.035))).values[3]
    assert wire.sum() * 1e-4 == pytest.approx(pi * 0.05**2, rel=2e-3)


@pytest.mark.parametrize(
    ("spec", "kind", "fields", "says"),
    [
        (SiemensStar, "siemens-star", {"hub_mm": 110.0}, "hub_mm < diameter_mm < body_mm"),
        (SiemensStar, "siemens-star", {"spoke": "pmma"}, "neither air"),
        (ContrastDetail, "contrast-detail", {"spacing_mm": 10.0}, "spacing_mm"),
        (ContrastDetail, "contrast-detail", {"body_mm": 100.0}, "beyond body_mm"),
        (ContrastDetail, "contrast-detail", {"contrast_hu": [0.0]}, "leave it out"),
        (EdgeWire, "edge-wire", {"offset_mm": 70.0}, "leave the cylinder"),
        (EdgeWire, "edge-wire", {"offset_mm": 14.0}, "meet"),
        (Defrise, "defrise", {"disk": "watr"}, "water"),
    ],
)
def test_objects_that_cannot_be_are_refused(spec, kind, fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=says):
        spec(kind=kind, **fields)
