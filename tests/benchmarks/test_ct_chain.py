"""Core-seconds of a CT take: from path lengths to corrected line integrals, 984 views × 888 columns × 3 materials.

``pytest tests/benchmarks/test_ct_chain.py --benchmark-only``. What bounds the chain is the sum over energies (about
half), then the normal draws; in a starved scan, the photons drawn one by one.
"""

import time

import numpy as np
import pytest

from phantomsim import tissues
from phantomsim.phantoms.abdomen.ellipsoids import RandomEllipsoids
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.volume import LabelBody
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.rng import Key
from phantomsim.physics.xray import quadrature
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.correction import line_integrals, water_correction
from phantomsim.physics.xray.detector import EnergyIntegratingDetector
from phantomsim.physics.xray.noise import Beam, draw_readings
from phantomsim.physics.xray.spectrum import ALUMINIUM, tube_spectrum
from phantomsim.physics.xray.transmission import transmit
from phantomsim.scanners.ct import CT
from phantomsim.scanners.ct_spec import CTTake

VIEWS, COLUMNS = 984, 888
MATERIALS = [tissues.get("muscle"), tissues.get("cortical_bone"), tissues.get("blood").with_element("I", 10.0)]
GOS = (tissues.get("gos").density, tissues.get("gos").mass_fractions)
DETECTOR = EnergyIntegratingDetector(GOS, 1.4e-3, gain=0.05, electronic_noise=200.0, offset=100.0)


def beam():
    """Return 120 kVp, 200 mAs a rotation, pixels of 1 mm² at 0.95 m."""
    spectrum = tube_spectrum(120, np.radians(8.0), [(ALUMINIUM, 6e-3)])
    mu = linear_attenuation([(tissue.density, tissue.mass_fractions) for tissue in MATERIALS], spectrum.energy)
    return Beam(spectrum.energy, DETECTOR.quanta(spectrum, 200 / VIEWS, 0.949, 1e-6), mu)


def body(n_rows, thickness):
    """Return path lengths (view, row, column, material) through a cylinder with a spine and a vessel."""
    x = np.linspace(-1, 1, COLUMNS)
    muscle = thickness * np.sqrt(np.maximum(1 - x**2, 0))
    bone, vessel = 0.04 * np.exp(-((x / 0.1) ** 2)), 0.02 * np.exp(-(((x - 0.3) / 0.05) ** 2))
    lengths = np.stack([muscle, bone, vessel], axis=1).astype(np.float32)
    return np.ascontiguousarray(np.broadcast_to(lengths, (VIEWS, n_rows, COLUMNS, 3)))


def core_seconds(function, *args, rounds=5):
    """Return the least CPU time of all threads that a call took."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        function(*args)
        times.append(time.process_time() - start)
    return min(times)


def take(lengths, source, correction):
    reading = draw_readings(Key(1), lengths, source, DETECTOR, 0.5)
    air = 0.5 * float(source.quanta @ source.energy)
    return correction(line_integrals(DETECTOR.absorbed_energy(reading), air, 30.0))


@pytest.mark.parametrize(("n_rows", "thickness"), [(1, 0.3), (16, 0.3), (1, 0.55)], ids=["slice", "batch", "starved"])
def test_detector_chain(benchmark, n_rows, thickness):
    source, lengths = beam(), body(n_rows, thickness)
    correction = water_correction(source.energy, source.quanta)
    with threads(1):
        result = benchmark.pedantic(take, (lengths, source, correction), rounds=3, warmup_rounds=1)
        per_slice = core_seconds(take, lengths, source, correction) / n_rows
    benchmark.extra_info["core_seconds_per_slice"] = per_slice
    assert np.isfinite(result).all()


@pytest.mark.parametrize("energies", ["nodes", "bins"])
def test_sum_over_energies(benchmark, energies):
    source, lengths = beam(), body(1, 0.3)
    total = getattr(source, energies)
    benchmark.extra_info["n_energies"] = total.mu.shape[1]
    with threads(1):
        benchmark.pedantic(transmit, (lengths, total), rounds=5, warmup_rounds=1)
        benchmark.extra_info["core_seconds"] = core_seconds(transmit, lengths, total)


def test_fit_of_the_energies(benchmark):
    source = beam()

    def fit():
        quadrature._fitted.cache_clear()
        return quadrature.few_energies(source.bins)

    assert benchmark.pedantic(fit, rounds=3).mu.shape[1] < 30
    benchmark.extra_info["core_seconds"] = core_seconds(fit)


def scanner(n_rows):
    """Return the scanner of the issue's figure: a fan on an arc with a quarter offset."""
    return CT.model_validate(
        {
            "kind": "ct",
            "geometry": {
                "kind": "fan-arc",
                "n_views": VIEWS,
                "n_columns": COLUMNS,
                "pitch_mm": 1.024,
                "column_offset": 0.25,
                "source_to_axis_mm": 541.0,
                "source_to_detector_mm": 949.0,
            },
            "tube": {"kvp": 120.0, "rotation_mas": 200.0, "filter_al_mm": 6.0},
            "detector": {"kind": "energy-integrating"},
            "n_rows": n_rows,
        }
    )


def volume(n_rows):
    """Return a body of three tissues in voxels, 512 × 512 a slice."""
    grid = Grid((n_rows, 512, 512), (1e-3, 0.8e-3, 0.8e-3))
    y, x = np.meshgrid(grid.coordinates(1), grid.coordinates(2), indexing="ij")
    labels = np.zeros(grid.shape, np.uint16)
    for material, (cy, cx, ry, rx) in enumerate([(0, 0, 0.11, 0.16), (0.06, 0, 0.02, 0.02), (0.02, 0.02, 0.01, 0.01)]):
        labels[:, ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1] = material + 1
    return Phantom((tissues.get("air"), *MATERIALS), LabelBody(labels, grid))


@pytest.mark.parametrize(("kind", "n_rows"), [("scene", 1), ("voxels", 1), ("voxels", 16)])
def test_whole_slice_from_phantom_to_line_integrals(benchmark, kind, n_rows):
    """Three materials in voxels, or the abdomen-like scene of some eighty shapes and twenty tissues, exactly."""
    scan = scanner(n_rows)
    body = volume(n_rows) if kind == "voxels" else RandomEllipsoids(kind="ellipsoids").generate(Key(3))

    def whole():
        return scan.detect(scan.simulate(body, Key(1)), CTTake(), Key(2))

    with threads(1):
        data = benchmark.pedantic(whole, rounds=2, warmup_rounds=1)
        benchmark.extra_info["core_seconds_per_slice"] = core_seconds(whole, rounds=3) / n_rows
    assert np.isfinite(data["line_integral"].values).all()
