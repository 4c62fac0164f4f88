"""Exact Fourier transforms of shapes and of the scenes they make.

The transform is F(k) = ∫ f(r) exp(−i 2π k·r) dr with k in cycles a metre, ordered (z, y, x) as positions are; the
signal of a magnetic resonance engine that precesses as exp(+i 2π k·r) is its conjugate for real f. A shape is an affine
image r = centre + matrix · u of a canonical one, hence F(k) = |det matrix| exp(−i 2π k·centre) F_canonical(matrixᵀ k).

A scene has a transform where it is a weighted sum of shapes: its codes add up and the values follow them, or each shape
lies apart from, inside or around every shape below it, so that it replaces one value by another. Anything else is an
error, never an approximation.

References
----------
R. Van de Walle, H. H. Barrett, K. J. Myers, M. I. Altbach, B. Desplanques, A. F. Gmitro, J. Cornelis, I. Lemahieu,
"Reconstruction of MR images from data acquired on a general nonregular grid by pseudoinverse calculation", IEEE Trans.
Med. Imaging 19 (2000), doi:10.1109/42.887613. C. G. Koay, J. E. Sarlls, E. Özarslan, "Three-dimensional analytical
magnetic resonance imaging phantom in the Fourier domain", Magn. Reson. Med. 58 (2007), doi:10.1002/mrm.21292.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.canonical_transforms import ball, disc, segment, sincos_turns64
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.kernel import Kernel, loop_nest, scalar
from phantomsim.physics.shape_relations import boxes_meet, relation
from phantomsim.physics.shapes import BOX, CODES, CYLINDER, ELLIPSOID, Shape

LANES: Final = 64  # frequencies of a CPU block
LINEAR: Final = 1e-9
"""Values of an additive scene follow their sums if none is off by more than this part of the largest."""
ROUNDING: Final = 1e-13
"""Steps smaller than this part of the largest value are what is left of equal values."""
_KNOWN: Final = ("ellipsoid", "cylinder", "box")


@scalar
def _canonical(kind, z, y, x):  # type: ignore[no-untyped-def]
    if kind == ELLIPSOID:
        return ball(sqrt(z * z + y * y + x * x))
    if kind == BOX:
        return segment(z) * segment(y) * segment(x)
    return segment(z) * disc(sqrt(y * y + x * x))


@scalar
def _one(kind, affine, volume, kz, ky, kx):  # type: ignore[no-untyped-def]
    z = affine[0, 0] * kz + affine[1, 0] * ky + affine[2, 0] * kx
    y = affine[0, 1] * kz + affine[1, 1] * ky + affine[2, 1] * kx
    x = affine[0, 2] * kz + affine[1, 2] * ky + affine[2, 2] * kx
    sine, cosine = sincos_turns64(affine[0, 3] * kz + affine[1, 3] * ky + affine[2, 3] * kx)
    size = volume * _canonical(kind, z, y, x)
    return size * cosine, -size * sine


@scalar
def _many(kind, affine, volume, kz, ky, kx, real, imaginary):  # type: ignore[no-untyped-def]
    for lane in range(LANES):
        real[lane], imaginary[lane] = _one(kind, affine, volume, kz[lane], ky[lane], kx[lane])


@loop_nest
def _blocks(begin, end, kinds, affine, volumes, weights, k, out):  # type: ignore[no-untyped-def]
    n_values = weights.shape[0]
    kz, ky, kx = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    real, imaginary = np.empty(LANES), np.empty(LANES)
    total = np.empty((n_values, 2, LANES))
    for block in range(begin, end):
        first = block * LANES
        n = min(LANES, k.shape[0] - first)
        for lane in range(n):
            kz[lane], ky[lane], kx[lane] = k[first + lane, 0], k[first + lane, 1], k[first + lane, 2]
        total[:] = 0.0
        for s in range(kinds.shape[0]):
            if kinds[s] == ELLIPSOID:  # a literal kind leaves one branch, and the loop over lanes vectorises
                _many(ELLIPSOID, affine[s], volumes[s], kz, ky, kx, real, imaginary)
            elif kinds[s] == BOX:
                _many(BOX, affine[s], volumes[s], kz, ky, kx, real, imaginary)
            else:
                _many(CYLINDER, affine[s], volumes[s], kz, ky, kx, real, imaginary)
            for v in range(n_values):
                weight = weights[v, s]
                if weight != 0.0:
                    for lane in range(LANES):
                        total[v, 0, lane] += weight * real[lane]
                        total[v, 1, lane] += weight * imaginary[lane]
        for v in range(n_values):
            for lane in range(n):
                out[v, first + lane, 0] = total[v, 0, lane]
                out[v, first + lane, 1] = total[v, 1, lane]


def _thread(i, kinds, affine, volumes, weights, k, out):  # type: ignore[no-untyped-def]
    for v in range(weights.shape[0]):
        out[v, i, 0] = 0.0
        out[v, i, 1] = 0.0
    for s in range(kinds.shape[0]):
        real, imaginary = _one(kinds[s], affine[s], volumes[s], k[i, 0], k[i, 1], k[i, 2])
        for v in range(weights.shape[0]):
            out[v, i, 0] += weights[v, s] * real
            out[v, i, 1] += weights[v, s] * imaginary


TRANSFORM = Kernel(
    "shape_transforms",
    _blocks,
    _thread,
    "int32[::1];float64[:,:,::1];float64[::1];float64[:,::1];float64[:,::1];float64[:,:,::1]",
    float64_reason="phases of many turns, and small details beside large bodies",
)


def transform(shapes: Sequence[Shape], weights: npt.ArrayLike, k: Array) -> Array:
    """Return the Fourier transform of a weighted sum of shapes.

    Parameters
    ----------
    shapes
        Ellipsoids, cylinders and boxes.
    weights
        What each shape adds inside it (…, shape), real or complex.
    k
        Spatial frequencies (…, 3), (z, y, x) [cycles/m].

    Returns
    -------
        Transform (…, …), the axes of `weights` before those of `k`, complex128, in the weights' unit times m³, on the
        device of `k`.

    Raises
    ------
    ShapeError
        If a shape with a weight has no closed form (cones, capsules, clipped shapes), or the arrays do not fit.
    """
    amplitudes = np.asarray(weights)
    if k.shape[-1:] != (3,) or amplitudes.shape[-1:] != (len(shapes),):
        raise ShapeError(
            f"a transform needs k (…, 3) and one weight for each of {len(shapes)} shapes, "
            f"got k {k.shape} and weights {amplitudes.shape}"
        )
    rows = amplitudes.reshape(prod(amplitudes.shape[:-1]), len(shapes))
    used = [i for i in range(len(shapes)) if rows[:, i].any()]
    for i in used:
        if shapes[i].clips:
            raise ShapeError(f"the transform of a clipped {shapes[i].kind} (shape {i}) has no closed form here")
        if shapes[i].kind not in _KNOWN:
            raise ShapeError(
                f"the transform of a {shapes[i].kind} (shape {i}) has no closed form; use {', '.join(_KNOWN)}"
            )
    rows, complex_weights = rows[:, used], np.iscomplexobj(rows)
    parts = np.concatenate([rows.real, rows.imag]) if complex_weights else rows
    chosen = [shapes[i] for i in used]
    affine = np.asarray([np.column_stack([s.matrix, s.centre]) for s in chosen], np.float64).reshape(-1, 3, 4)
    xp = namespace(k)
    points = xp.ascontiguousarray(k, dtype=xp.float64).reshape(-1, 3)
    out = xp.empty((len(parts), len(points), 2), xp.float64)
    TRANSFORM(
        -(-len(points) // LANES),
        len(points),
        xp.asarray([CODES[s.kind] for s in chosen], dtype=xp.int32),
        xp.asarray(affine),
        xp.asarray([s.volume for s in chosen], dtype=xp.float64),
        xp.ascontiguousarray(xp.asarray(parts, dtype=xp.float64)),
        points,
        out,
    )
    values = out.view(xp.complex128)[..., 0]
    if complex_weights:
        values = values[: len(rows)] + 1j * values[len(rows) :]
    return values.reshape(*amplitudes.shape[:-1], *k.shape[:-1])


def scene_transform(
    shapes: Sequence[Shape],
    codes: Sequence[int],
    values: npt.ArrayLike,
    k: Array,
    *,
    sums: Mapping[int, int] | None = None,
) -> Array:
    """Return the Fourier transform of a property of a scene, less its background.

    Parameters
    ----------
    shapes, codes, sums
        The scene, as `phantomsim.phantoms.scene.Scene` holds it: `codes` are materials, a later shape replacing what
        it covers, or with `sums` numbers that add up, and the material of each sum.
    values
        Property of each material (…, material), real or complex; 0 is the background. An identity matrix gives the
        transform of each material's own region.
    k
        Spatial frequencies (…, 3), (z, y, x) [cycles/m].

    Returns
    -------
        Transform of value minus the background's value (…, …), as `transform` returns it.

    Raises
    ------
    ShapeError
        If an overlap is partial, a sum of codes has no material, or a shape has no closed form.
    """
    if len(shapes) != len(codes):
        raise ShapeError(f"{len(shapes)} shapes need as many codes, got {len(codes)}")
    table = np.asarray(values)
    table = table.astype(np.complex128 if np.iscomplexobj(table) else np.float64)
    if not np.isfinite(table).all():
        raise ShapeError("values of a scene's materials must be finite")
    materials = (0, *(codes if sums is None else sums.values()))
    if table.ndim == 0 or table.shape[-1] <= max(materials) or min(materials) < 0:
        raise ShapeError(f"values {table.shape} must end in one for each material, 0 to {max(materials)}")
    weights = _layered(shapes, codes, table) if sums is None else _additive(shapes, codes, table, sums)
    return transform(shapes, weights, k)


def _layered(shapes: Sequence[Shape], codes: Sequence[int], values: npt.NDArray[np.number]) -> npt.NDArray[np.number]:
    """Return what each shape adds (…, shape) where a later one replaces what it covers."""
    weights = np.zeros((*values.shape[:-1], len(shapes)), values.dtype)
    for top, (shape, near) in enumerate(zip(shapes, boxes_meet(shapes), strict=True)):
        under = values[..., 0].copy()
        for below in near:
            if not weights[..., below].any():  # not to be told from what it covers, or covered itself
                continue
            match relation(shapes[below], shape):
                case "holds":
                    under += weights[..., below]
                case "held":
                    weights[..., below] = 0
                case "unknown":
                    raise _partial(shapes, below, top)
        step = values[..., codes[top]] - under
        weights[..., top] = np.where(np.abs(step) > ROUNDING * np.abs(values).max(initial=0.0), step, 0)
    return weights


def _additive(
    shapes: Sequence[Shape], codes: Sequence[int], values: npt.NDArray[np.number], sums: Mapping[int, int]
) -> npt.NDArray[np.number]:
    """Return what each shape adds (…, shape) where codes add up."""
    listed = {0: 0, **sums}
    totals = np.asarray(list(listed), np.float64)
    steps = values[..., list(listed.values())] - values[..., :1]
    slope = steps @ totals / max(float(totals @ totals), 1.0)
    off = np.abs(steps - slope[..., None] * totals)
    if (off <= LINEAR * np.abs(steps).max(axis=-1, keepdims=True)).all():  # any overlap will do
        return np.asarray(slope[..., None] * np.asarray(codes, np.float64))
    around = np.zeros(len(shapes), np.int64)  # the sum of the codes of those that hold a shape
    for second, near in enumerate(boxes_meet(shapes)):
        for first in near:
            match relation(shapes[first], shapes[second]):
                case "holds":
                    around[second] += codes[first]
                case "held":
                    around[first] += codes[second]
                case "unknown":
                    raise _partial(shapes, first, second)
    weights = np.zeros((*values.shape[:-1], len(shapes)), values.dtype)
    for i, outer in enumerate(int(total) for total in around):
        if outer not in listed or outer + codes[i] not in listed:
            raise ShapeError(f"shape {i} makes the sum {outer + codes[i]}, which has no material; list it in the scene")
        weights[..., i] = values[..., listed[outer + codes[i]]] - values[..., listed[outer]]
    return weights


def _partial(shapes: Sequence[Shape], first: int, second: int) -> ShapeError:
    a, b = shapes[first], shapes[second]
    return ShapeError(
        f"shapes {first} ({a.kind} at {a.centre}) and {second} ({b.kind} at {b.centre}) overlap in part, as far as can "
        "be shown: the scene has no exact transform; let one hold the other or part them, or use its voxels"
    )
