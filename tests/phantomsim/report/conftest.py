"""Made-up samples with the names, axes and attributes that the pipeline gives its own."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from phantomsim.dataset.job import Sample

TISSUES = ["air", "soft_tissue", "cortical_bone"]


def axial(values, units, long_name, **attributes):
    """A slice (1, n, n) of 4 mm pixels, centred."""
    n = values.shape[0]
    centres = 4e-3 * (np.arange(n) - (n - 1) / 2)
    coordinates = {"z": [0.0], "y": centres, "x": centres}
    return xr.DataArray(
        values[None],
        dims=("z", "y", "x"),
        coords={name: (name, where, {"units": "m"}) for name, where in coordinates.items()},
        attrs={"units": units, "long_name": long_name, **attributes},
    )


def sinogram(values):
    n_views, n_columns = values.shape
    angles = 2 * np.pi * np.arange(n_views) / n_views
    columns = 1e-3 * (np.arange(n_columns) - (n_columns - 1) / 2)
    return xr.DataArray(
        values[:, None],
        dims=("view", "row", "column"),
        coords={"view": ("view", angles, {"units": "rad"}), "column": ("column", columns, {"units": "m"})},
        attrs={"units": "1", "long_name": "line integral"},
    )


def make_sample(index, n=24):
    noise = np.random.default_rng(index).normal(size=(2, n, n)).astype(np.float32)
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    body, bone = np.hypot(x, y) < 0.4 * n, np.hypot(x - 3, y) < 3
    labels = body.astype(np.uint8) + bone
    hounsfield = np.choose(labels, np.float32([-1000, 40, 800]))
    return Sample(
        arrays={
            "take/low/line_integral": sinogram(np.abs(noise[0])),
            "image/low": axial(hounsfield + 40 * noise[0], "HU", "CT number"),
            "image/full": axial(hounsfield + 5 * noise[1], "HU", "CT number"),
            "truth/hu": axial(hounsfield, "HU", "CT number at 70 keV"),
            "phantom/labels": axial(labels, "1", "tissue", tissues=TISSUES),
        },
        parameters={"scan.ct.tube.kvp": [100, 120][index % 2], "take.low.exposure": 0.02 + 0.01 * index},
        truths={"lesions": [{"part": "lesion 0", "centre_mm": [0.0, 8.0, -12.0], "diameter_mm": 10.0}]},
    )


@pytest.fixture
def samples():
    return [make_sample(index) for index in range(3)]


@pytest.fixture(scope="module")
def pairs():
    extra = ("take.low.line_integral", "truth.hu", "phantom.labels", "phantom.lesions")
    return [SimpleNamespace(input="image.low", target="image.full", extra=extra)]


@pytest.fixture(name="make_sample", scope="session")
def make_sample_fixture():
    return make_sample
