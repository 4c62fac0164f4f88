import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.bowtie import DIAMETERS, Bowtie, behind, bowtie_of, flattening_bowtie
from phantomsim.physics.xray.channel_correction import channel_correction
from phantomsim.physics.xray.correction import WATER, line_integrals, water_correction
from phantomsim.physics.xray.noise import Beam
from phantomsim.physics.xray.spectrum import ALUMINIUM, Spectrum, tube_spectrum
from phantomsim.physics.xray.transmission import transmit

AXIS = 0.541
SPECTRUM = tube_spectrum(120, np.radians(10.0), [(ALUMINIUM, 3e-3)])
FAN = np.radians(np.linspace(-25.0, 25.0, 41))


def chord(diameter, angles):
    return 2 * np.sqrt(np.maximum((diameter / 2) ** 2 - (AXIS * np.sin(angles)) ** 2, 0))


@pytest.mark.parametrize("size", DIAMETERS)
def test_behind_bowtie_and_cylinder_one_energy_is_flat(size):
    diameter = DIAMETERS[size]
    bowtie = flattening_bowtie(diameter, AXIS, thickest=1.0, energy=60.0)
    inside = np.linspace(-0.98, 0.98, 101) * np.arcsin(diameter / 2 / AXIS)
    water, filtering = linear_attenuation([WATER, ALUMINIUM], np.array([60.0]))[:, 0]
    depth = water * chord(diameter, inside) + filtering * bowtie.lengths(inside)
    np.testing.assert_allclose(depth, depth.mean(), rtol=1e-4)  # the table is interpolated


def test_larger_sizes_are_wider_and_all_keep_their_limit():
    small, medium, large = (bowtie_of(size, AXIS).lengths(FAN) for size in ("small", "medium", "large"))
    assert np.all(small >= medium)
    assert np.all(medium >= large)
    assert small.max() <= 40e-3
    np.testing.assert_allclose(small[20], 0.5e-3)
    np.testing.assert_allclose(small, small[::-1])


def test_a_table_is_interpolated_and_tilted_rays_run_longer():
    table = Bowtie(ALUMINIUM, np.array([-0.2, 0.0, 0.2]), np.array([8e-3, 2e-3, 4e-3]))
    np.testing.assert_allclose(table.lengths(np.array([-0.5, -0.1, 0.1, 0.5])), [8e-3, 5e-3, 3e-3, 4e-3])
    both = table.lengths(np.array([0.0, 0.1]), np.array([0.0, 0.3])[:, None])
    np.testing.assert_allclose(both[1], both[0] / np.cos(0.3))


def test_a_beam_is_weaker_and_harder_where_the_bowtie_is_thick():
    mu = linear_attenuation([ALUMINIUM], SPECTRUM.energy)
    lengths = bowtie_of("medium", AXIS).lengths(FAN)[:, None]
    beams = behind(SPECTRUM.fluence, mu, lengths)
    spectra = [Spectrum(SPECTRUM.energy, fluence) for fluence in beams]
    direct = SPECTRUM.filtered(mu[0], float(lengths[3, 0]))
    np.testing.assert_allclose(beams[3], direct.fluence, rtol=1e-12)
    half = spectra[:21]  # from the edge to the centre
    assert np.all(np.diff([s.air_kerma for s in half]) >= 0)
    assert np.all(np.diff([s.mean_energy for s in half]) <= 0)


def test_behind_a_bowtie_every_column_s_water_is_linear():
    # as a scanner does it: the bowtie is one more material, which fills the air scan too
    bowtie, mu = bowtie_of("medium", AXIS), linear_attenuation([WATER, ALUMINIUM], SPECTRUM.energy)
    filters = np.zeros((len(FAN), 2), np.float32)
    filters[:, 1] = bowtie.lengths(FAN)
    beam = Beam(SPECTRUM.energy, SPECTRUM.fluence, mu)
    water = np.linspace(0.01, 0.35, 12, dtype=np.float32)
    lengths = np.broadcast_to(filters, (12, *filters.shape)).copy()
    lengths[..., 0] = water[:, None]
    air = transmit(filters, beam.nodes)[..., 0]
    measured = line_integrals(transmit(lengths, beam.nodes)[..., 0], air, 1e-30)
    quanta = behind(SPECTRUM.fluence, mu[1:], filters[:, 1:].astype(np.float64))
    correction = channel_correction(SPECTRUM.energy, quanta, 70.0)
    expected = correction.mu_water * np.broadcast_to(water[:, None], measured.shape)
    np.testing.assert_allclose(correction(measured), expected, rtol=3e-4)  # twice the quadrature's 1e-4, and float32
    naive = water_correction(SPECTRUM.energy, SPECTRUM.fluence, 70.0)(measured)
    assert np.abs(naive / expected - 1).max() > 0.03


def test_channels_with_one_beam_have_its_correction():
    one = water_correction(SPECTRUM.energy, SPECTRUM.fluence, 70.0)
    many = channel_correction(SPECTRUM.energy, np.outer([1.0, 3.0], SPECTRUM.fluence), 70.0)
    p = np.linspace(-0.1, 12, 50)
    np.testing.assert_allclose(many(np.stack([p, p], axis=-1)), np.stack([one(p)] * 2, axis=-1), rtol=1e-9)
    assert many(np.ones((3, 2), np.float32)).dtype == np.float32
    with pytest.raises(ShapeError, match="channels"):
        many(np.ones((3, 4)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Bowtie(ALUMINIUM, np.zeros(2), np.zeros(3)), ShapeError, "match"),
        (lambda: Bowtie(ALUMINIUM, np.array([-20.0, 20.0]), np.zeros(2)), UnitError, "degrees"),
        (lambda: Bowtie(ALUMINIUM, np.array([-0.2, 0.2]), np.array([10.0, 10.0])), UnitError, "mm"),
        (lambda: Bowtie(ALUMINIUM, np.array([-0.2, 0.2]), np.array([-1e-3, 0.0])), UnitError, "thickness"),
        (lambda: flattening_bowtie(1.2, AXIS), UnitError, "diameter"),
        (lambda: flattening_bowtie(0.2, AXIS, thinnest=5e-2), UnitError, "thinnest"),
        (lambda: bowtie_of("huge", AXIS), UnitError, "small, medium, large"),
    ],
)
def test_impossible_bowties_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
