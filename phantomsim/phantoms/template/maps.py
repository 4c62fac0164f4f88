"""The MNI152 maps that nilearn ships, and the distance from the brain that shells around it are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter

from phantomsim.formats.nifti import read_nifti
from phantomsim.formats.volume import Volume, locate
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid

Float32 = npt.NDArray[np.float32]

PATH: Final = "datasets/data/mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
FULL: Final = 255
"""Stored value of probability 1."""
MARGIN: Final = 15
"""Voxels of the distance map beyond the template, to the sides and above: room for skull and scalp."""
CLOSING: Final = 0.012
"""Reach over which folds and cisterns of the brain's outline are closed for the inner table of the skull [m]."""
SMOOTHING: Final = 0.004
"""Deviation of the Gaussian that smooths the distance: steps of the mask's voxels are no bone [m]."""


@dataclass(frozen=True, eq=False)
class Maps:
    """Probabilities of grey and white matter, and distances from the closed outline of the brain.

    Parameters
    ----------
    grey, white
        Probability (z, y, x) on `on`.
    distance
        Signed distance (z, y, x) from the outline on `wide` [m], negative inside.
    on, wide
        Grids along the patient's axes, the template's origin (the anterior commissure) at the origin.
    """

    grey: Float32
    white: Float32
    distance: Float32
    on: Grid
    wide: Grid


@cache
def load() -> Maps:
    """Read the maps of the symmetric MNI ICBM152 2009a template from the package nilearn, which is not imported.

    Raises
    ------
    RecipeError
        If nilearn is not installed, or does not hold the maps.

    References
    ----------
    V. Fonov et al., "Unbiased average age-appropriate atlases for pediatric studies", NeuroImage 54 (2011),
    doi:10.1016/j.neuroimage.2010.07.033: the family of templates; not read again for this module.
    """
    grey, white, brain = (_read(name) for name in ("gm", "wm", "t1"))
    distance, wide = _distance(brain)
    return Maps(_probability(grey), _probability(white), distance, grey.grid, wide)


def _read(name: str) -> Volume:
    try:
        return read_nifti(locate(PATH.format(name), "nilearn"))
    except RecipeError as error:
        raise RecipeError(f"{error}; brain-template needs it: pip install 'phantomsim[templates]'") from error


def _probability(volume: Volume) -> Float32:
    return np.asarray(volume.values, np.float32) / np.float32(FULL)


def _distance(brain: Volume) -> tuple[Float32, Grid]:
    """Return the distance from the brain's outline on voxels of twice the size; at the base it goes on downwards."""
    mask = brain.values[::2, ::2, ::2] > 0
    spacing = tuple(2 * s for s in brain.grid.spacing)
    mask = np.pad(mask, ((0, MARGIN), (MARGIN, MARGIN), (MARGIN, MARGIN)))
    below = int(np.ceil(2 * CLOSING / spacing[0]))
    mask = np.pad(mask, ((below, 0), (0, 0), (0, 0)), mode="edge")
    grown = distance_transform_edt(~mask, sampling=spacing) <= CLOSING
    closed = distance_transform_edt(grown, sampling=spacing) > CLOSING
    outside = distance_transform_edt(~closed, sampling=spacing)
    inside = distance_transform_edt(closed, sampling=spacing)
    step = spacing[0] / 2  # distances run between centres; the outline lies half way
    signed = gaussian_filter(np.where(closed, step - inside, outside - step), SMOOTHING / step / 2, mode="nearest")
    signed = signed[below:].astype(np.float32)
    margins = enumerate(zip((0, MARGIN, MARGIN), spacing, strict=True))
    first = [float(brain.grid.coordinates(axis)[0]) - n * s for axis, (n, s) in margins]
    z, y, x = (f + (n - 1) / 2 * s for f, n, s in zip(first, signed.shape, spacing, strict=True))
    depth, height, width = signed.shape
    return signed, Grid((depth, height, width), (spacing[0], spacing[1], spacing[2]), (z, y, x))
