"""A cheap producer that worker processes can import, and stores made with it."""

import hashlib
import os
import time
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from phantomsim.dataset.job import Job, Sample


def make(index: int, size: int = 8, fail: tuple[int, ...] = (), seconds: float = 0.0) -> Sample:
    """Return a small image pair that depends on nothing but its index."""
    if index in fail:
        raise ValueError(f"sample {index} was told to fail")
    time.sleep(seconds)
    rng = np.random.default_rng(index)
    image = rng.normal(index, 1, (1, size, size)).astype(np.float32)
    counts = rng.poisson(100, (5, 1, size)).astype(np.uint16)
    grid = {"y": np.arange(size) * 0.5, "x": np.arange(size) * 0.5}
    scan = {"view": np.linspace(0, np.pi, 5), "energy_kev": 70.0}
    return Sample(
        {
            "image/low": xr.DataArray(image, coords=grid, dims=("z", "y", "x"), attrs={"units": "1/m"}),
            "image/small": xr.DataArray(image[:, ::2, ::2], coords={"y": np.arange(size // 2)}, dims=("z", "y", "x")),
            "take/low/reading": xr.DataArray(
                counts, coords=scan, dims=("view", "row", "column"), attrs={"units": "1", "geometry": f"fan {index}"}
            ),
            "phantom/labels": xr.DataArray((image > index).astype(np.uint8), coords=grid, dims=("z", "y", "x")),
        },
        {"phantom.radius_mm": float(rng.uniform(1, 2)), "tube.kvp": [80, 100][index % 2]},
        {"lesions": [{"part": n, "diameter_mm": 1.0 + n} for n in range(index % 3)]},
        subject=f"subject {index // 2}",
    )


def job(samples: int = 20, **options: object) -> Job:
    """Return a job of the cheap producer."""
    return Job(
        name="cheap",
        recipe='name = "cheap"\n',
        digest=hashlib.sha256(repr(options.get("size")).encode()).hexdigest(),
        samples=samples,
        make=partial(make, **options),
        seed=7,
        splits={"train": 0.6, "test": 0.4},
        pairs=({"input": "image.low", "target": "phantom.labels", "extra": ["take.low", "phantom.lesions"]},),
    )


def contents(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a store except markers and lock."""
    files = (Path(folder) / name for folder, _, names in os.walk(root) for name in names)
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.parent.name != "markers" and file.name != ".lock"
    }
