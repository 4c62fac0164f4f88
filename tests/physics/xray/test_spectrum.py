import json
from pathlib import Path

import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray import spectrum as module
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.spectrum import ALUMINIUM, Spectrum, monoenergetic, tube_spectrum

ANGLE = np.radians(11.0)
COPPER = (8960.0, {"Cu": 1.0})
TIN = (7310.0, {"Sn": 1.0})


def tg195(name):
    """Return a spectrum of AAPM TG-195 and what the report says of it."""
    beam = json.loads((Path(__file__).parents[2] / "data" / "tg195_spectra.json").read_text())[name]
    return Spectrum(np.array(beam["energy_kev"]) + 0.25, np.array(beam["probability"])), beam


@pytest.fixture(autouse=True)
def _own_cache_folder(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.getbasetemp() / "spectra"  # shared by the tests of a session: SpekPy takes a second
    monkeypatch.setattr(module.platformdirs, "user_cache_path", lambda name: folder)


@pytest.mark.parametrize("name", ["100 kVp", "120 kVp"])
def test_mean_energy_and_half_value_layer_of_tg195_are_those_of_the_report(name):
    spectrum, beam = tg195(name)
    assert spectrum.mean_energy == pytest.approx(beam["mean_energy_kev"], rel=3e-3)
    assert 1e3 * spectrum.half_value_layer == pytest.approx(beam["hvl_mm_al"], rel=1.5e-2)


@pytest.mark.parametrize(("name", "kvp", "filter_mm"), [("100 kVp", 100, 2.708), ("120 kVp", 120, 2.861)])
def test_tube_resembles_tg195(name, kvp, filter_mm):
    reference, _ = tg195(name)
    spectrum = tube_spectrum(kvp, ANGLE, [(ALUMINIUM, filter_mm * 1e-3)])
    # TG-195's tubes are of the IPEM-78 model, harder at the same filter than SpekPy's: 2 % in mean, 8 % in HVL
    assert spectrum.mean_energy == pytest.approx(reference.mean_energy, rel=0.025)
    assert spectrum.half_value_layer == pytest.approx(reference.half_value_layer, rel=0.10)
    while spectrum.half_value_layer < reference.half_value_layer:
        filter_mm += 0.02
        spectrum = tube_spectrum(kvp, ANGLE, [(ALUMINIUM, filter_mm * 1e-3)])
    assert spectrum.mean_energy == pytest.approx(reference.mean_energy, rel=0.01)


def test_air_kerma_equals_spekpy_s_own():
    from spekpy import Spek

    tube = Spek(kvp=120, th=11, dk=1.0)
    tube.filter("Al", 2.861)
    spectrum = tube_spectrum(120, ANGLE, [(ALUMINIUM, 2.861e-3)])
    # SpekPy filters and weighs with PENELOPE's coefficients, 1 % away from xraylib's
    assert 1e6 * spectrum.air_kerma == pytest.approx(tube.get_kerma(), rel=0.02)


def test_a_filter_of_one_half_value_layer_halves_the_kerma():
    spectrum = tube_spectrum(80, ANGLE, [(ALUMINIUM, 3e-3)])
    filtered = tube_spectrum(80, ANGLE, [(ALUMINIUM, 3e-3), (ALUMINIUM, spectrum.half_value_layer)])
    assert filtered.air_kerma == pytest.approx(spectrum.air_kerma / 2, rel=1e-9)


def test_filters_harden_the_beam_and_show_their_edge():
    plain = tube_spectrum(120, ANGLE, [(ALUMINIUM, 3e-3)])
    copper = tube_spectrum(120, ANGLE, [(ALUMINIUM, 3e-3), (COPPER, 0.3e-3)])
    tin = tube_spectrum(120, ANGLE, [(ALUMINIUM, 3e-3), (TIN, 0.1e-3)])
    assert plain.mean_energy < copper.mean_energy
    edge = np.searchsorted(tin.energy, 29.2001)
    below, above = (tin.fluence / plain.fluence.clip(1e-300))[edge - 1 : edge + 1]
    assert above < 0.2 * below


def test_spectrum_is_the_same_bits_from_the_cache_and_survives_damage(tmp_path, monkeypatch):
    monkeypatch.setattr(module.platformdirs, "user_cache_path", lambda name: tmp_path)
    results = []
    for damage in (False, False, True):
        module._unfiltered.cache_clear()
        files = list(tmp_path.rglob("*.npy"))
        if damage:
            files[0].write_bytes(files[0].read_bytes()[:100])
        results.append(tube_spectrum(100, ANGLE).fluence.tobytes())
    assert len(set(results)) == 1
    assert len(files) == 1


def test_spectrum_does_not_need_a_writable_cache(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(module.platformdirs, "user_cache_path", lambda name: tmp_path / "file")
    module._unfiltered.cache_clear()
    assert tube_spectrum(90, ANGLE).energy[-1] == 89.5


def test_monoenergetic_half_value_layer_is_ln2_over_mu():
    (mu,) = linear_attenuation([ALUMINIUM], np.array([60.0]))
    assert monoenergetic(60.0, 1.0).half_value_layer == pytest.approx(np.log(2) / mu[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tube_spectrum(500, ANGLE), "tube potential"),
        (lambda: tube_spectrum(120, 11.0), "anode_angle"),
        (lambda: tube_spectrum(120, ANGLE, [(ALUMINIUM, -1e-3)]), "thickness"),
        (lambda: Spectrum(np.array([2.0, 1.0]), np.ones(2)), "rise"),
        (lambda: Spectrum(np.array([1.0, 2.0]), np.array([1.0, -1.0])), "negative"),
    ],
)
def test_impossible_tubes_are_refused(call, message):
    with pytest.raises(UnitError, match=message):
        call()
