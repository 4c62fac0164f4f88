"""Exact path lengths of rays through overlapping shapes.

Along a ray each convex shape covers one interval. A sweep over these (`phantomsim.physics.overlaps`) cuts the ray into
stretches, and each is booked for the material that the overlap rule gives; any number of shapes may overlap.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.crossings import clip, cross, crossing
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.kernel import Kernel, loop_nest, scalar
from phantomsim.physics.overlaps import sweep, visit
from phantomsim.physics.shapes import ShapeTable

RAYS: Final = 32  # rays of a CPU block; they share a short list of shapes


@scalar
def _direction(start, end):  # type: ignore[no-untyped-def]
    dz, dy, dx = end[0] - start[0], end[1] - start[1], end[2] - start[2]
    length = sqrt(dz * dz + dy * dy + dx * dx)
    scale = 1.0 / length if length > 0.0 else 0.0
    return dz * scale, dy * scale, dx * scale, length


@loop_nest
def _blocks(  # type: ignore[no-untyped-def]
    begin,
    stop,
    kinds,
    params,
    inverse,
    planes,
    clips,
    lower,
    upper,
    codes,
    lookup,
    first,
    additive,
    start,
    end,
    lengths,
    unlisted,
):
    n_shapes, n_materials = kinds.shape[0], lengths.shape[1]
    origin = np.zeros((3, RAYS), np.float64)
    toward = np.zeros((3, RAYS), np.float64)
    length = np.zeros(RAYS, np.float64)
    enter = np.empty((n_shapes, RAYS), np.float64)
    leave = np.empty((n_shapes, RAYS), np.float64)
    near = np.empty(n_shapes, np.int64)
    covered = np.empty((2, n_shapes + 1), np.float64)
    stretches = np.empty((2, 2 * n_shapes + 1), np.float64)
    states = np.empty(2 * n_shapes + 1, np.int64)
    total = np.empty(n_materials, np.float64)
    for block in range(begin, stop):
        ray0 = block * RAYS
        n_rays = min(RAYS, lengths.shape[0] - ray0)
        middle = ray0 + n_rays // 2
        _, ahead, aside, _ = _direction(start[middle], end[middle])
        bottom, top, left, right = inf, -inf, inf, -inf
        for r in range(n_rays):
            a, b = start[ray0 + r], end[ray0 + r]
            toward[0, r], toward[1, r], toward[2, r], length[r] = _direction(a, b)
            origin[0, r], origin[1, r], origin[2, r] = a[0], a[1], a[2]
            bottom, top = min(bottom, min(a[0], b[0])), max(top, max(a[0], b[0]))
            p, q = aside * a[1] - ahead * a[2], aside * b[1] - ahead * b[2]
            left, right = min(left, min(p, q)), max(right, max(p, q))
        n_near = 0
        for s in range(n_shapes):  # most shapes end above, below or beside the few neighbouring rays of a block
            p, q = aside * lower[s, 1], aside * upper[s, 1]
            u, v = ahead * lower[s, 2], ahead * upper[s, 2]
            beside = max(p, q) - min(u, v) < left or min(p, q) - max(u, v) > right
            if not beside and lower[s, 0] <= top and upper[s, 0] >= bottom:
                p, q = enter[n_near], leave[n_near]
                cross(kinds[s], params[s], inverse[s], planes, clips[s], origin, toward, length, p, q)
                near[n_near] = s
                n_near += 1
        for r in range(n_rays):
            total[:] = 0.0
            n = sweep(enter, leave, codes, near, n_near, r, length[r], additive, covered, stretches, states)
            for k in range(n):
                material = lookup[states[k] - first]
                if material > 0:
                    total[material] += stretches[1, k] - stretches[0, k]
                elif material < 0:
                    unlisted[0] = 1
            for m in range(n_materials):
                lengths[ray0 + r, m] = total[m]


def _thread(  # type: ignore[no-untyped-def]
    ray,
    kinds,
    params,
    inverse,
    planes,
    clips,
    lower,
    upper,
    codes,
    lookup,
    first,
    additive,
    start,
    end,
    lengths,
    unlisted,
):
    dz, dy, dx, length = _direction(start[ray], end[ray])
    for m in range(lengths.shape[1]):
        lengths[ray, m] = 0
    sz, sy, sx = start[ray, 0], start[ray, 1], start[ray, 2]
    t = 0.0
    while t < length:
        state, until = (0 if additive else -1), length
        for s in range(kinds.shape[0] - 1, -1, -1):  # crossings are computed again: cheaper here than storing them
            enter, leave = crossing(kinds[s], params[s], inverse[s], sz, sy, sx, dz, dy, dx, length)
            enter, leave = clip(planes, clips[s], sz, sy, sx, dz, dy, dx, enter, leave)
            state, until = visit(enter, leave, codes[s], t, state, until, additive)
            if state >= 0 and not additive:
                break
        material = lookup[state - first]
        if material > 0:
            lengths[ray, material] += until - t
        elif material < 0:
            unlisted[0] = 1
        t = until


PATHS = Kernel(
    "xray.paths",
    _blocks,
    _thread,
    "int32[::1];float64[::1];float64[:,:,::1];float64[:,::1];int64[:,::1];float64[:,::1];float64[:,::1];int64[::1];int32[::1];int64;boolean;"
    "float64[:,::1];float64[:,::1];real[:,::1];int32[::1]",
    float64_reason="chords are differences of distances far larger than themselves",
)


def path_lengths(
    table: ShapeTable, start: Array, end: Array, n_materials: int, dtype: npt.DTypeLike = np.float32
) -> Array:
    """Return how far each ray runs in each material, exact under any overlap.

    Parameters
    ----------
    table
        Shapes and their overlap rule, on the device of the rays.
    start, end
        Ends of each ray (…, 3), (z, y, x) [m].
    n_materials
        Number of materials, the background (0) included.
    dtype
        Type of the result; the computation is float64.

    Returns
    -------
        Lengths (…, material) [m]. The background's are left at 0: it also fills the air scan.

    Raises
    ------
    ShapeError
        If the arrays do not end in 3 coordinates, or shapes of an additive scene cover a point with a sum of codes
        that the scene does not list.
    """
    xp = namespace(start, end, table.kinds)
    if start.shape != end.shape or start.shape[-1:] != (3,):
        raise ShapeError(f"rays need starts and ends (…, 3) of one shape, got {start.shape} and {end.shape}")
    starts, ends = (xp.ascontiguousarray(p, dtype=xp.float64).reshape(-1, 3) for p in (start, end))
    lengths = xp.empty((len(starts), n_materials), dtype=dtype)
    unlisted = xp.zeros(1, dtype=xp.int32)
    if len(starts):
        lower = xp.minimum(starts.min(axis=0), ends.min(axis=0))
        near = table.near(lower, xp.maximum(starts.max(axis=0), ends.max(axis=0)))
        PATHS(-(-len(starts) // RAYS), len(starts), *near.bodies, *near.rule, starts, ends, lengths, unlisted)
    if int(unlisted[0]):
        raise ShapeError("shapes overlap where the sum of their codes has no material; list that sum in the scene")
    return lengths.reshape(*start.shape[:-1], n_materials)
