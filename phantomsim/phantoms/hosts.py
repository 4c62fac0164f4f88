"""Lesions inside regions that are known by their voxels alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, find_objects

from phantomsim.phantoms.overlay import covered
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import GAP, Lesions, place_lesions
from phantomsim.phantoms.scene import Part
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key, permutation
from phantomsim.physics.shapes import ellipsoid
from phantomsim.tissues import Tissue

Mask = npt.NDArray[np.bool_]

ROOM: Final = 2.0
"""Largest radius of a ball that lesions are placed in, over that of the largest lesion."""
TRIES: Final = 4096


def insert_lesions(phantom: Phantom, lesions: Lesions, regions: Mapping[str, Mask], grid: Grid, key: Key) -> Phantom:
    """Return a phantom with lesions inside regions of its volume, clear of their borders.

    Balls that lie in a region and not in each other are found first, by the distance of voxels from what is not region;
    lesions are then placed in them as in any other part.

    Parameters
    ----------
    phantom
        What the lesions are put on top of.
    lesions
        How many, how large, of what.
    regions
        Voxels (z, y, x) of each tissue that may hold a lesion.
    grid
        Where the voxels stand. Beyond its first and last plane a region is taken to go on.
    key
        Stream to draw from.

    Raises
    ------
    RecipeError
        If no region holds a lesion, or there is no place for all of them.
    """
    named = replace(phantom, parts=phantom.parts | {"lesion"}, truths={**phantom.truths, "lesions": ()})
    if not lesions.count:
        return named
    by_name = {tissue.name: tissue for tissue in phantom.tissues}
    homes = [
        ball
        for name, mask in regions.items()
        for ball in balls_inside(mask, grid, lesions, by_name[name], key.fold("hosts", name))
    ]
    if not homes:
        raise RecipeError(
            f"no region of {' or '.join(regions)} holds a lesion of {lesions.diameter_mm[1]:g} mm"
            f"{'' if lesions.depth_mm else ' in the slice z = 0'}: ask for smaller ones, a larger depth_mm, other hosts"
        )
    placed, rows = place_lesions(lesions, homes, list(regions), key)
    return replace(covered(named, placed), truths={**phantom.truths, "lesions": rows})


def balls_inside(mask: Mask, grid: Grid, lesions: Lesions, tissue: Tissue, key: Key) -> list[Part]:
    """Return balls that lie in a region and not in each other, each wide enough for the largest lesion."""
    needed = 5e-4 * lesions.diameter_mm[1] + 1.1 * GAP
    depth = 5e-4 * lesions.depth_mm
    z = grid.coordinates(0)
    near = np.abs(z) <= depth + ROOM * needed + 2 * grid.spacing[0]
    box = find_objects((mask & near[:, None, None]).astype(np.int8))
    if not box:
        return []
    inner = mask[box[0]]
    first = np.array([part.start for part in box[0]])
    padded = np.pad(inner, ((0, 0), (1, 1), (1, 1)))
    away = distance_transform_edt(padded, sampling=grid.spacing)[:, 1:-1, 1:-1]
    spacing = np.asarray(grid.spacing) * (np.asarray(grid.shape) > 1)
    index = np.argwhere(away > needed + np.linalg.norm(spacing) / 2)
    if not len(index):
        return []
    radii = away[tuple(index.T)] - np.linalg.norm(spacing) / 2
    centres = np.asarray(grid.lower) + (first + index + 0.5) * np.asarray(grid.spacing)
    level = np.clip(centres[:, 0], -depth, depth)  # moved there, a ball loses as much of its radius
    radii -= np.abs(centres[:, 0] - level)
    centres[:, 0] = level
    wide = np.flatnonzero(radii > needed)
    chosen: list[int] = []
    for i in wide[permutation(key, len(wide))[:TRIES]] if len(wide) else ():
        radius = min(radii[i], ROOM * needed)
        apart = np.linalg.norm(centres[chosen] - centres[i], axis=1) - np.minimum(radii[chosen], ROOM * needed)
        if (apart >= radius).all():
            chosen.append(int(i))
    balls = []
    for i in chosen:
        bottom, front, left = (float(c) for c in centres[i])
        balls.append(
            Part(ellipsoid((bottom, front, left), (min(float(radii[i]), ROOM * needed),) * 3), tissue, tissue.name)
        )
    return balls
