from itertools import product

import numpy as np
import pytest
from scipy.stats import norm

from phantomsim import tissues
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.kernel import threads
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.correction import WATER, line_integrals
from phantomsim.physics.xray.detector import EnergyIntegratingDetector
from phantomsim.physics.xray.noise import Beam, draw_readings, expected_readings, variance_of_readings
from phantomsim.physics.xray.spectrum import ALUMINIUM, monoenergetic, tube_spectrum

GOS = (tissues.get("gos").density, tissues.get("gos").mass_fractions)
DEPTH = 0.2  # of water before every reading here [m]
STEP = 0.5  # every bin centre is a multiple of it [keV]
MEANS = (1e5, 1e3, 30.0, 1.0)


def beam(kind, n_quanta):
    """Return a beam of which `n_quanta` photons are expected behind `DEPTH` of water."""
    spectrum = monoenergetic(60.0, 1.0) if kind == "mono" else tube_spectrum(120, 0.14, [(ALUMINIUM, 6e-3)])
    detector = EnergyIntegratingDetector(GOS, thickness=1.4e-3, gain=1.0)
    quanta = spectrum.fluence * detector.absorption(spectrum.energy)
    mu = linear_attenuation([WATER], spectrum.energy)
    behind = quanta * np.exp(-DEPTH * mu[0])
    return Beam(spectrum.energy, quanta * n_quanta / behind.sum(), mu)


def detector_for(n_quanta, electronic_noise, **fields):
    """Return a detector whose converter is fine, and wide enough for 12 standard deviations of 120 kVp."""
    largest = 80 * n_quanta + 12 * (80 * np.sqrt(n_quanta) + electronic_noise) + 1000
    gain = 2.0 ** np.floor(np.log2(2**23.9 / largest))
    gain = min(gain, 2.0)
    fields = {"gain": gain, "bits": 24, "offset": np.ceil(10 * gain * electronic_noise)} | fields
    return EnergyIntegratingDetector(GOS, thickness=1.4e-3, electronic_noise=electronic_noise, **fields)


def cumulants(beam):
    """Return the first four cumulants of the absorbed energy, summed over the bins in float64."""
    behind = beam.quanta * np.exp(-np.float64(np.float32(DEPTH)) * beam.mu[0])
    return [behind @ beam.energy**k for k in (1, 2, 3, 4)]


def distribution(beam):
    """Return energies [keV] and their probabilities: the compound Poisson law on a lattice, by Fourier transform."""
    behind = beam.quanta * np.exp(-DEPTH * beam.mu[0])
    mean, variance, *_ = cumulants(beam)
    n = 1 << int(np.ceil(np.log2((mean + 14 * np.sqrt(variance) + 500) / STEP)))
    jumps = np.zeros(n)
    np.add.at(jumps, np.rint(beam.energy / STEP).astype(int), behind)
    return STEP * np.arange(n), np.fft.irfft(np.exp(np.fft.rfft(jumps) - behind.sum()), n).clip(0)


def draw(beam, detector, n, seed=1, **options):
    return draw_readings(Key(seed), np.full((n, 1), DEPTH, np.float32), beam, detector, **options)


@pytest.mark.parametrize(
    ("kind", "n_quanta", "electronic_noise", "swank"),
    [*product(["mono", "120 kVp"], MEANS, [0.0, 300.0], [1.0]), ("120 kVp", 1e3, 0.0, 0.8), ("120 kVp", 5.0, 0.0, 0.8)],
)
def test_mean_and_variance_are_those_of_the_compound_poisson_law(kind, n_quanta, electronic_noise, swank):
    n = 200_000
    source, detector = beam(kind, n_quanta), detector_for(n_quanta, electronic_noise, swank=swank)
    energy = (draw(source, detector, n).astype(np.float64) - detector.offset) / detector.gain
    mean, second, _, fourth = cumulants(source)
    excess = 1 / swank - 1
    rounding = 1 / (12 * detector.gain**2) if electronic_noise or swank < 1 or n_quanta >= 32 else 0.0  # lattice: none
    variance = (1 + excess) * second + electronic_noise**2 + rounding
    fourth *= 1 + 6 * excess + 3 * excess**2
    assert abs(energy.mean() - mean) < 4 * np.sqrt(variance / n)
    assert abs(energy.var() - variance) < 4 * np.sqrt((fourth + 2 * variance**2) / n)


@pytest.mark.parametrize(("kind", "n_quanta"), list(product(["mono", "120 kVp"], MEANS)))
def test_stated_expectation_and_variance_are_those_of_theory(kind, n_quanta):
    source, detector = beam(kind, n_quanta), detector_for(n_quanta, 50.0)
    lengths = np.full((2, 3, 1), DEPTH, np.float32)
    mean, second, *_ = cumulants(source)
    expected = detector.gain * mean + detector.offset
    variance = detector.gain**2 * (second + 50.0**2) + 1 / 12
    np.testing.assert_allclose(expected_readings(lengths, source, detector), np.full((2, 3), expected), rtol=1e-4)
    np.testing.assert_allclose(variance_of_readings(lengths, source, detector), np.full((2, 3), variance), rtol=1e-4)


@pytest.mark.parametrize("n_quanta", [0.3, 5.0, 33.0, 38.0])
def test_few_photons_follow_the_exact_distribution(n_quanta):
    # 38 photons at 120 kVp have M₁²/M₂ = 36: the bent normal, whose own distance is below 1e-4
    n = 1_000_000 if n_quanta > 36 else 200_000
    source = beam("120 kVp", n_quanta)
    counts = np.bincount(draw(source, detector_for(n_quanta, 0.0, gain=1 / STEP), n))
    _, probability = distribution(source)
    empirical = np.cumsum(np.pad(counts, (0, probability.size))[: probability.size]) / n
    assert np.abs(empirical - np.cumsum(probability)).max() < 1.95 / np.sqrt(n)  # Kolmogorov–Smirnov at 1e-3


@pytest.mark.parametrize(("kind", "bound"), [("120 kVp", 1e-4), ("mono", 0.037)])
def test_bent_normal_is_as_close_to_the_exact_law_as_stated(kind, bound):
    n_quanta = 32.0
    source = beam(kind, n_quanta)
    mean, second, third, _ = cumulants(source)
    scale = 32 / (mean**2 / second)  # to where the photons are no longer drawn one by one
    mean, second, third = scale * mean, scale * second, scale * third
    energy, probability = distribution(Beam(source.energy, scale * source.quanta, source.mu))
    z = np.linspace(-8, 8, 200_001)
    skew = third / second**1.5
    bent = mean + np.sqrt(second) * (z + skew * (z**2 - 1) / 6 - skew**2 * (z**3 - z) / 72)
    assert np.all(np.diff(bent[np.abs(z) < 5.5]) > 0)
    approximate = np.interp(energy + STEP / 2, bent, norm.cdf(z))
    assert np.abs(approximate - np.cumsum(probability)).max() < bound


@pytest.mark.parametrize(
    ("kind", "n_quanta", "electronic_noise"),
    [*product(["mono", "120 kVp"], [1e3, 30.0, 3.0, 1.0], [0.0]), ("120 kVp", 30.0, 100.0), ("120 kVp", 1.0, 40.0)],
)
def test_log_data_follow_theory_down_to_one_photon(kind, n_quanta, electronic_noise):
    """The reference sums −log(max(energy, floor) / air) over the Poisson law, and over the electronic noise."""
    n, floor = 200_000, 15.0
    source, detector = beam(kind, n_quanta), detector_for(n_quanta, electronic_noise)
    air = float(source.quanta @ source.energy)
    data = line_integrals(detector.absorbed_energy(draw(source, detector, n)), air, floor).astype(np.float64)

    energy, probability = distribution(source)
    likely = probability > 1e-12
    energy, probability = energy[likely] / probability[likely].sum(), probability[likely]
    noise = np.linspace(-6, 6, 601) if electronic_noise else np.zeros(1)
    density = np.exp(-(noise**2) / 2) / np.exp(-(noise**2) / 2).sum()
    logs = -np.log(np.maximum(energy[:, None] + electronic_noise * noise, floor) / air)
    joint = probability[:, None] * density
    mean = (joint * logs).sum()
    variance = (joint * (logs - mean) ** 2).sum()
    fourth = (joint * (logs - mean) ** 4).sum()
    assert abs(data.mean() - mean) < 4 * np.sqrt(variance / n)
    assert abs(data.var() - variance) < 4 * np.sqrt((fourth - variance**2) / n)


def test_converter_saturates_and_never_wraps():
    source = beam("120 kVp", 1e4)
    assert set(draw(source, detector_for(1e4, 0.0, gain=1.0, bits=12), 1000).tolist()) == {4095}
    assert (
        expected_readings(np.full((5, 1), DEPTH, np.float32), source, detector_for(1e4, 0.0, bits=12)) == 4095
    ).all()


def test_without_an_offset_negative_noise_is_cut_off_at_zero():
    source = beam("mono", 1e-3)
    readings = draw(source, detector_for(1.0, 100.0, offset=0.0), 10_000)
    assert 0.45 < (readings == 0).mean() < 0.55


def test_readings_are_integers_of_the_converter():
    source = beam("mono", 100.0)
    assert draw(source, detector_for(100.0, 0.0, gain=0.1, bits=16), 10).dtype == np.uint16
    assert draw(source, detector_for(100.0, 0.0), 10).dtype == np.uint32


def mixed_lengths(n):
    return np.linspace(0.0, 0.6, n, dtype=np.float32)[:, None]  # from bright to dark: both ways of drawing


def test_threads_and_neighbours_do_not_change_a_bit():
    source, detector = beam("120 kVp", 500.0), detector_for(1e6, 20.0)
    lengths = mixed_lengths(5000)
    with threads(1):
        one = draw_readings(Key(3), lengths, source, detector)
    with threads(3):
        three = draw_readings(Key(3), lengths, source, detector)
    assert one.tobytes() == three.tobytes()
    assert np.array_equal(draw_readings(Key(3), lengths[:1100], source, detector), one[:1100])
    assert np.array_equal(draw_readings(Key(3), lengths.reshape(50, 100, 1), source, detector).ravel(), one)


def test_keys_and_rays_are_independent():
    source, detector = beam("120 kVp", 200.0), detector_for(200.0, 0.0)
    a, b = (draw(source, detector, 100_000, seed=seed).astype(np.float64) for seed in (1, 2))
    limit = 4 / np.sqrt(a.size)
    assert abs(np.corrcoef(a, b)[0, 1]) < limit
    assert abs(np.corrcoef(a[1:], a[:-1])[0, 1]) < limit


def test_exposure_scales_the_photons_and_repeats_over_leading_axes():
    full, half = beam("120 kVp", 50.0), beam("120 kVp", 25.0)
    detector = detector_for(50.0, 5.0)
    lengths = np.full((4, 6, 1), DEPTH, np.float32)
    assert np.array_equal(
        draw_readings(Key(1), lengths, full, detector, 0.5), draw_readings(Key(1), lengths, half, detector)
    )
    by_column = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0], np.float32)
    np.testing.assert_allclose(
        expected_readings(lengths, full, detector, by_column) - detector.offset,
        np.broadcast_to(by_column * (expected_readings(lengths, full, detector) - detector.offset)[0, 0], (4, 6)),
        rtol=1e-5,
        atol=1e-3,
    )
    whole = np.broadcast_to(by_column, (4, 6))
    assert np.array_equal(
        draw_readings(Key(1), lengths, full, detector, by_column), draw_readings(Key(1), lengths, full, detector, whole)
    )


def test_impossible_beams_and_exposures_are_refused():
    source, detector = beam("mono", 50.0), detector_for(50.0, 0.0)
    lengths = np.zeros((4, 6, 1), np.float32)
    with pytest.raises(ShapeError, match="trailing axes"):
        draw_readings(Key(1), lengths, source, detector, np.ones(4, np.float32))
    with pytest.raises(UnitError, match="exposure"):
        draw_readings(Key(1), lengths, source, detector, -1.0)
    with pytest.raises(ShapeError, match="quanta"):
        Beam(source.energy, np.ones(2), source.mu)
    with pytest.raises(UnitError, match="quanta"):
        Beam(source.energy, -source.quanta, source.mu)
    with pytest.raises(ShapeError, match="same energies"):
        Beam(source.energy, source.quanta, np.ones((1, 2)))
