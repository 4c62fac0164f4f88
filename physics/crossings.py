"""Where rays cross shapes, in closed form: scalar functions that kernels of both backends inline.

A ray is ``origin + t · direction`` in canonical coordinates (z, y, x), see `phantomsim.physics.shapes`. An interval
(enter, leave) with ``enter >= leave`` is a miss.
"""

from math import inf, sqrt

from phantomsim.physics.kernel import scalar
from phantomsim.physics.shapes import BOX, CAPSULE, CYLINDER, ELLIPSOID


@scalar
def _slab(origin, direction, half):  # type: ignore[no-untyped-def]
    if direction == 0.0:
        return (-inf, inf) if abs(origin) <= half else (0.0, 0.0)
    first, last = (-half - origin) / direction, (half - origin) / direction
    return min(first, last), max(first, last)


@scalar
def _ball(oz, oy, ox, dz, dy, dx):  # type: ignore[no-untyped-def]
    # measured from the point nearest the centre: the discriminant then is a difference of numbers near 1
    norm = dz * dz + dy * dy + dx * dx
    middle = -(oz * dz + oy * dy + ox * dx) / norm
    z, y, x = oz + middle * dz, oy + middle * dy, ox + middle * dx
    half = sqrt(max(1.0 - (z * z + y * y + x * x), 0.0) / norm)
    return middle - half, middle + half


@scalar
def _disc(oy, ox, dy, dx):  # type: ignore[no-untyped-def]
    norm = dy * dy + dx * dx
    if norm == 0.0:
        return (-inf, inf) if oy * oy + ox * ox <= 1.0 else (0.0, 0.0)
    middle = -(oy * dy + ox * dx) / norm
    y, x = oy + middle * dy, ox + middle * dx
    half = sqrt(max(1.0 - (y * y + x * x), 0.0) / norm)
    return middle - half, middle + half


@scalar
def _cone_side(top, oz, oy, ox, dz, dy, dx):  # type: ignore[no-untyped-def]
    # the nappe of radius >= 0: |(y, x)|² <= radius(t)², with radius(t) = at + t·slope linear along the ray
    norm = dz * dz + dy * dy + dx * dx
    middle = -(oz * dz + oy * dy + ox * dx) / norm
    z, y, x = oz + middle * dz, oy + middle * dy, ox + middle * dx
    at, slope = 0.5 * (1.0 + top) - 0.5 * (1.0 - top) * z, -0.5 * (1.0 - top) * dz
    a = dy * dy + dx * dx - slope * slope
    b = y * dy + x * dx - at * slope
    c = y * y + x * x - at * at
    if a == 0.0:  # along a generator: a·t² + 2b·t + c is linear
        if b == 0.0:
            return (-inf, inf) if c <= 0.0 else (0.0, 0.0)
        root = middle - 0.5 * c / b
        return (-inf, root) if b > 0.0 else (root, inf)
    discriminant = b * b - a * c
    if discriminant <= 0.0:
        return (0.0, 0.0) if a > 0.0 else (-inf, inf)
    q = -(b + sqrt(discriminant)) if b > 0.0 else sqrt(discriminant) - b
    first, last = middle + min(q / a, c / q), middle + max(q / a, c / q)
    if a > 0.0:
        return first, last
    # steeper than the side: outside the roots the ray is in one nappe on each side, and radius >= 0 in one of them
    return (last, inf) if slope > 0.0 else (-inf, first)


@scalar
def interval(kind, param, oz, oy, ox, dz, dy, dx):  # type: ignore[no-untyped-def]
    """Return where a ray, given in canonical coordinates, enters and leaves a shape.

    Parameters
    ----------
    kind, param
        Code and parameter of the shape.
    oz, oy, ox
        Origin of the ray.
    dz, dy, dx
        Its direction, of any length but 0; positions along the ray are in units of it.
    """
    if kind == ELLIPSOID:
        return _ball(oz, oy, ox, dz, dy, dx)
    if kind == CAPSULE:
        low, high = _ball(oz + param, oy, ox, dz, dy, dx), _ball(oz - param, oy, ox, dz, dy, dx)
        slab, side = _slab(oz, dz, param), _disc(oy, ox, dy, dx)
        enter, leave = max(slab[0], side[0]), min(slab[1], side[1])
        if not enter < leave:
            enter, leave = inf, -inf
        if low[0] < low[1]:
            enter, leave = min(enter, low[0]), max(leave, low[1])
        if high[0] < high[1]:
            enter, leave = min(enter, high[0]), max(leave, high[1])
        return enter, leave
    enter, leave = _slab(oz, dz, 1.0)
    if kind == BOX:
        side, across = _slab(oy, dy, 1.0), _slab(ox, dx, 1.0)
        return max(enter, max(side[0], across[0])), min(leave, min(side[1], across[1]))
    side = _disc(oy, ox, dy, dx) if kind == CYLINDER else _cone_side(param, oz, oy, ox, dz, dy, dx)
    return max(enter, side[0]), min(leave, side[1])


@scalar
def clip(planes, clips, sz, sy, sx, dz, dy, dx, enter, leave):  # type: ignore[no-untyped-def]
    """Return what a shape's clips leave of a ray's interval: `clips` holds the first and one past the last plane."""
    for c in range(clips[0], clips[1]):
        rate = planes[c, 0] * dz + planes[c, 1] * dy + planes[c, 2] * dx
        room = planes[c, 3] - (planes[c, 0] * sz + planes[c, 1] * sy + planes[c, 2] * sx)
        if rate > 0.0:
            leave = min(leave, room / rate)
        elif rate < 0.0:
            enter = max(enter, room / rate)
        elif room < 0.0:
            leave = enter
    return enter, leave


@scalar
def crossing(kind, param, inverse, sz, sy, sx, dz, dy, dx, length):  # type: ignore[no-untyped-def]
    """Return where a segment from (sz, sy, sx) [m] along a unit vector enters and leaves a shape [m from its start]."""
    m = inverse
    enter, leave = interval(
        kind,
        param,
        m[0, 0] * sz + m[0, 1] * sy + m[0, 2] * sx + m[0, 3],
        m[1, 0] * sz + m[1, 1] * sy + m[1, 2] * sx + m[1, 3],
        m[2, 0] * sz + m[2, 1] * sy + m[2, 2] * sx + m[2, 3],
        m[0, 0] * dz + m[0, 1] * dy + m[0, 2] * dx,
        m[1, 0] * dz + m[1, 1] * dy + m[1, 2] * dx,
        m[2, 0] * dz + m[2, 1] * dy + m[2, 2] * dx,
    )
    return max(enter, 0.0), min(leave, length)


@scalar
def _cross(kind, param, inverse, origin, toward, length, enter, leave):  # type: ignore[no-untyped-def]
    for r in range(length.shape[0]):
        enter[r], leave[r] = crossing(
            kind,
            param,
            inverse,
            origin[0, r],
            origin[1, r],
            origin[2, r],
            toward[0, r],
            toward[1, r],
            toward[2, r],
            length[r],
        )


@scalar
def cross(kind, param, inverse, planes, clips, origin, toward, length, enter, leave):  # type: ignore[no-untyped-def]
    """Write where many segments enter and leave one shape (ray) [m]; `origin` and `toward` are (3, ray)."""
    if kind == ELLIPSOID:  # a literal kind leaves one branch of `interval`, and the loop over rays vectorises
        _cross(ELLIPSOID, param, inverse, origin, toward, length, enter, leave)
    elif kind == CYLINDER:
        _cross(CYLINDER, param, inverse, origin, toward, length, enter, leave)
    elif kind == CAPSULE:
        _cross(CAPSULE, param, inverse, origin, toward, length, enter, leave)
    else:
        _cross(kind, param, inverse, origin, toward, length, enter, leave)
    if clips[0] < clips[1]:
        for r in range(length.shape[0]):
            o, d = origin[:, r], toward[:, r]
            enter[r], leave[r] = clip(planes, clips, o[0], o[1], o[2], d[0], d[1], d[2], enter[r], leave[r])
