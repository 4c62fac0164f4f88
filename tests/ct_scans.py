"""Scans of water cylinders with rods, for tests of corrections and of spectral methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.water_cylinder import WaterCylinder
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.recon.fbp import FBP
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.scanners.ct import CT
from phantomsim.scanners.ct_spec import CTTake, CTTruth

KEY = Key(3)
GRID = Grid((1, 130, 130), (1e-3, 1.9e-3, 1.9e-3))
FAN = {
    "kind": "fan-arc",
    "n_views": 360,
    "n_columns": 320,
    "pitch_mm": 1.45,
    "column_offset": 0.25,
    "source_to_axis_mm": 541.0,
    "source_to_detector_mm": 949.0,
}


def scanner(kvp: float = 120.0, filter_sn_mm: float = 0.0, **fields: Any) -> CT:
    """Return a fan-beam scanner that sees a circle of 26 cm."""
    tube = {"kvp": kvp, "rotation_mas": 200.0, "filter_al_mm": 6.0, "filter_sn_mm": filter_sn_mm}
    detector = {"kind": "energy-integrating"}
    return CT.model_validate({"kind": "ct", "geometry": FAN, "tube": tube, "detector": detector, **fields})


def cylinder(*inserts: dict[str, Any], diameter_mm: float = 200.0) -> Phantom:
    """Return a cylinder of water with rods."""
    spec = {"kind": "water-cylinder", "diameter_mm": diameter_mm, "inserts": inserts}
    return WaterCylinder.model_validate(spec).generate(KEY)


def take(machine: CT, phantom: Phantom, key: Key | None = None) -> xr.Dataset:
    """Return a take, or its expectation without a key."""
    return machine.detect(machine.simulate(phantom, KEY), CTTake(), key)


def image_of(method: Reconstructor, grid: Grid = GRID, **products: xr.Dataset) -> npt.NDArray[np.float64]:
    """Return the first slice that a method makes of products by role."""
    return np.asarray(method.reconstruct(products, grid).values[0], np.float64)


def plain(data: xr.Dataset) -> npt.NDArray[np.float64]:
    """Return the image of filtered backprojection [HU]."""
    return image_of(FBP(filter="hann", unit="hu"), data=data)


def true_hu(machine: CT, phantom: Phantom) -> npt.NDArray[np.float64]:
    """Return the CT numbers at 70 keV."""
    return np.asarray(machine.truth(phantom, CTTruth(map="hu", energy_kev=70.0), GRID).values[0], np.float64)


def distance_from(radius_mm: float, angle_deg: float, grid: Grid = GRID) -> npt.NDArray[np.float64]:
    """Return the distance of each pixel from a rod's axis [mm]."""
    angle = np.radians(angle_deg)
    y, x = 1e3 * grid.coordinates(1)[:, None], 1e3 * grid.coordinates(2)
    return np.hypot(y - radius_mm * np.sin(angle), x - radius_mm * np.cos(angle))
