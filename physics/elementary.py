"""Elementary functions as polynomials: they vectorise where a call into the C library does not.

All take and give float32 (float64 where the name says so) and are the same source on every backend.

References
----------
S. L. Moshier, *Methods and Programs for Mathematical Functions*, Ellis Horwood (1989): the Cephes library.
"""

from __future__ import annotations

import numpy as np

from phantomsim.physics.kernel import Real, scalar

_ROOT_HALF = np.uint64(0x3FE6A09E667F3BCD)  # the bits of √½
_ONE_ABOVE_ROOT_HALF = np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)  # adds 1 to the exponent from √½ on
_FRACTION = np.uint64(2**52 - 1)
_TWO_TO_52 = np.uint64(0x4330000000000000)  # the bits of 2⁵²: an integer in the fraction makes 2⁵² + integer
_ROUNDING32 = np.float32(1.5 * 2**23)  # added to a number, leaves its nearest integer in the low bits of the fraction
_ROUNDING64 = np.float64(1.5 * 2**52)


@scalar
def log(x: Real) -> Real:
    """Return the natural logarithm of a positive, normal, finite float32, within 2⁻²³ of its value."""
    bits = np.float32(x).view(np.int32)
    exponent = (bits - np.int32(0x3F3504F3)) >> np.int32(23)  # x = 2^exponent · (1 + m), 1 + m in [√½, √2)
    m = np.int32(bits - (exponent << np.int32(23))).view(np.float32) - np.float32(1.0)
    p = np.float32(7.0376836292e-2)
    p = p * m + np.float32(-1.1514610310e-1)
    p = p * m + np.float32(1.1676998740e-1)
    p = p * m + np.float32(-1.2420140846e-1)
    p = p * m + np.float32(1.4249322787e-1)
    p = p * m + np.float32(-1.6668057665e-1)
    p = p * m + np.float32(2.0000714765e-1)
    p = p * m + np.float32(-2.4999993993e-1)
    p = p * m + np.float32(3.3333331174e-1)
    square = m * m
    return m + (square * (m * p - np.float32(0.5)) + np.float32(exponent) * np.float32(0.6931471805599453))


@scalar(reassociate=False)
def exp(x: Real) -> Real:
    """Return the exponential of a float32, within 2⁻²³ of its value; below 10⁻³⁸ from −88, infinite from 89."""
    bounded = min(max(x, np.float32(-88.0)), np.float32(89.0))
    k = (bounded * np.float32(1.4426950408889634) + _ROUNDING32) - _ROUNDING32
    r = bounded - k * np.float32(0.693359375)  # ln 2 in two parts: k times the first is exact
    r = r - k * np.float32(-2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * (r * r) + r + np.float32(1.0)
    # two factors of 2: one would overflow at k = 128 and flush at k = -127
    half = np.int32(k) >> np.int32(1)
    rest = np.int32(k) - half
    scale = np.int32((half + np.int32(127)) << np.int32(23)).view(np.float32)
    return p * scale * np.int32((rest + np.int32(127)) << np.int32(23)).view(np.float32)


@scalar
def sincos_turns(turns: Real) -> tuple[Real, Real]:
    """Return sine and cosine of 2π · `turns`, a float32 in [0, 1], each within 2⁻²³."""
    k = np.int32(turns * np.float32(4.0) + np.float32(0.5))
    r = (turns * np.float32(4.0) - np.float32(k)) * np.float32(1.5707963267948966)
    sine, cosine = _quarter(k, r)
    return sine, cosine


@scalar(reassociate=False)
def sincos(angle: Real) -> tuple[Real, Real]:
    """Return sine and cosine of a float32 angle [rad], each within 2⁻²² while ``|angle| < 8192``."""
    k = (angle * np.float32(0.6366197723675814) + _ROUNDING32) - _ROUNDING32
    # π/2 in three parts, the first two of 11 bits: products with k below 2¹³ are exact
    r = angle - k * np.float32(1.5703125)
    r = r - k * np.float32(4.837512969970703125e-4)
    r = r - k * np.float32(7.549789948768648e-8)
    sine, cosine = _quarter(np.int32(k), r)
    return sine, cosine


@scalar(reassociate=False)
def floor(x: Real) -> Real:
    """Return the largest whole number not above a float32 of size below 2²² (numba has no such function for CUDA)."""
    nearest = (x + _ROUNDING32) - _ROUNDING32
    return nearest - (np.float32(1.0) if nearest > x else np.float32(0.0))


@scalar
def _quarter(k: np.int32, r: Real) -> tuple[Real, Real]:
    """Return sine and cosine of ``k π/2 + r`` for ``|r| <= π/4``."""
    z = r * r
    s = (
        (np.float32(-1.9515295891e-4) * z + np.float32(8.3321608736e-3)) * z + np.float32(-1.6666654611e-1)
    ) * z * r + r
    c = np.float32(2.443315711809948e-5) * z + np.float32(-1.388731625493765e-3)
    c = (c * z + np.float32(4.166664568298827e-2)) * z * z - np.float32(0.5) * z + np.float32(1.0)
    odd = (k & np.int32(1)) != 0
    sine = c if odd else s
    cosine = s if odd else c
    sine = -sine if (k & np.int32(2)) != 0 else sine
    cosine = -cosine if ((k + np.int32(1)) & np.int32(2)) != 0 else cosine
    return sine, cosine


@scalar(reassociate=False)
def floor64(x: Real) -> Real:
    """Return the largest whole number not above a float64 of size below 2⁵¹ (numba has no such function for CUDA)."""
    nearest = (x + _ROUNDING64) - _ROUNDING64
    return nearest - (np.float64(1.0) if nearest > x else np.float64(0.0))


@scalar(reassociate=False)
def log1p64(x: Real) -> Real:
    """Return log(1 + x) in float64 for a finite ``x > -1``, within 2⁻⁵¹ of its value where ``|x| < 0.29``.

    Elsewhere the rounding of 1 + x adds an absolute 2⁻⁵³. The polynomial is that of fdlibm's ``e_log.c``.
    """
    bits = np.float64(np.float64(1.0) + x).view(np.uint64) + _ONE_ABOVE_ROOT_HALF
    exponent = bits >> np.uint64(52)  # biased; 1 + x = 2^exponent · (1 + f), 1 + f in [√½, √2)
    fraction = np.uint64((bits & _FRACTION) + _ROOT_HALF).view(np.float64) - np.float64(1.0)
    f = x if exponent == np.uint64(1023) else fraction
    s = f / (np.float64(2.0) + f)
    z = s * s
    w = z * z
    odd = np.float64(1.479819860511658591e-01)
    odd = odd * w + np.float64(1.818357216161805012e-01)
    odd = odd * w + np.float64(2.857142874366239149e-01)
    odd = odd * w + np.float64(6.666666666666735130e-01)
    even = np.float64(1.531383769920937332e-01)
    even = even * w + np.float64(2.222219843214978396e-01)
    even = even * w + np.float64(3.999999999940941908e-01)
    p = odd + z * even
    k = np.uint64(exponent | _TWO_TO_52).view(np.float64) - np.float64(2.0**52 + 1023.0)
    half_square = np.float64(0.5) * f * f
    return (f - (half_square - s * (half_square + p * z))) + k * np.float64(0.6931471805599453)


@scalar(reassociate=False)
def exp64(x: Real) -> Real:
    """Return exp(x) in float64 for ``x <= 709``, within 2⁻⁵⁰ of its value; about 10⁻³⁰⁴ below −700."""
    bounded = max(x, np.float64(-700.0))
    shifted = bounded * np.float64(1.4426950408889634) + _ROUNDING64  # the nearest integer is in the low bits
    k = shifted - _ROUNDING64
    # ln 2 in two parts: k times the first is exact
    r = (bounded - k * np.float64(6.93147180369123816490e-01)) - k * np.float64(1.90821492927058770002e-10)
    # Taylor to 1/13! (the next term is 4e-18 at |r| = ln 2 / 2), even and odd powers apart: two short chains
    z = r * r
    odd = np.float64(1.0 / 6227020800.0)
    odd = odd * z + np.float64(1.0 / 39916800.0)
    odd = odd * z + np.float64(1.0 / 362880.0)
    odd = odd * z + np.float64(1.0 / 5040.0)
    odd = odd * z + np.float64(1.0 / 120.0)
    odd = odd * z + np.float64(1.0 / 6.0)
    even = np.float64(1.0 / 479001600.0)
    even = even * z + np.float64(1.0 / 3628800.0)
    even = even * z + np.float64(1.0 / 40320.0)
    even = even * z + np.float64(1.0 / 720.0)
    even = even * z + np.float64(1.0 / 24.0)
    even = even * z + np.float64(0.5)
    p = np.float64(1.0) + (r + z * (even + r * odd))
    scale = (np.float64(shifted).view(np.uint64) + np.uint64(1023)) << np.uint64(52)
    return p * np.uint64(scale).view(np.float64)
