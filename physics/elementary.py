"""Elementary functions as polynomials: they vectorise where a call into the C library does not.

All take and give float32 (float64 where the name says so) and are the same source on every backend.

References
----------
S. L. Moshier, *Methods and Programs for Mathematical Functions*, Ellis Horwood (1989): the Cephes library.
"""

from __future__ import annotations

import numpy as np

from phantomsim.physics.kernel import Real, scalar


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
    """Return the exponential of a float32, within 2⁻²² of its value; 0 below −87.3 and infinity above 88.7."""
    bounded = min(max(x, np.float32(-88.0)), np.float32(89.0))
    k = np.floor(bounded * np.float32(1.4426950408889634) + np.float32(0.5))
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
    k = np.floor(angle * np.float32(0.6366197723675814) + np.float32(0.5))
    # π/2 in three parts, the first two of 11 bits: products with k below 2¹³ are exact
    r = angle - k * np.float32(1.5703125)
    r = r - k * np.float32(4.837512969970703125e-4)
    r = r - k * np.float32(7.549789948768648e-8)
    sine, cosine = _quarter(np.int32(k), r)
    return sine, cosine


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
