"""Fourier transforms of the canonical shapes: scalar functions that kernels of both backends inline, in float64.

Frequencies are in turns a unit length: the oscillating argument is κ = 2π q. Each function is 1 at q = 0.

References
----------
R. N. Bracewell, *The Fourier Transform and Its Applications*, 3rd ed., McGraw-Hill (2000). S. L. Moshier, *Methods
and Programs for Mathematical Functions*, Ellis Horwood (1989), for the polynomials of sine and cosine.
"""

from math import sqrt

from phantomsim.physics.kernel import Real, scalar

_ROUNDING = 1.5 * 2.0**52  # added to a number below 2⁵¹, leaves its nearest integer


@scalar(reassociate=False)
def sincos_turns64(turns: Real) -> tuple[Real, Real]:
    """Return sine and cosine of 2π · `turns`, float64 of size below 10¹⁵, each within 2⁻⁵² for its exact argument."""
    quarter = (turns * 4.0 + _ROUNDING) - _ROUNDING
    r = (turns - quarter * 0.25) * 6.283185307179586  # the difference is exact
    z = r * r
    s = 1.58962301576546568060e-10
    s = s * z - 2.50507477628578072866e-8
    s = s * z + 2.75573136213857245213e-6
    s = s * z - 1.98412698295895385996e-4
    s = s * z + 8.33333333332211858878e-3
    s = s * z - 1.66666666666666307295e-1
    s = r + r * z * s
    c = -1.13585365213876817300e-11
    c = c * z + 2.08757008419747316778e-9
    c = c * z - 2.75573141792967388112e-7
    c = c * z + 2.48015872888517045348e-5
    c = c * z - 1.38888888888730564116e-3
    c = c * z + 4.16666666666665929218e-2
    c = 1.0 - 0.5 * z + z * z * c
    half = (quarter * 0.5 + _ROUNDING) - _ROUNDING
    odd = quarter - 2.0 * half  # -1, 0 or 1: sine and cosine change places
    turned = half - 2.0 * ((half * 0.5 + _ROUNDING) - _ROUNDING)  # 0 where `half` is even
    sign = 1.0 if turned == 0.0 else -1.0
    sine = s if odd == 0.0 else odd * c
    cosine = c if odd == 0.0 else -odd * s
    return sign * sine, sign * cosine


@scalar
def segment(q: Real) -> Real:
    """Return sin κ / κ: the transform of the segment [-1, 1] over its length."""
    sine, _ = sincos_turns64(q)
    kappa = 6.283185307179586 * q
    return sine / kappa if abs(kappa) > 1e-100 else 1.0


@scalar
def ball(q: Real) -> Real:
    """Return 3 (sin κ − κ cos κ) / κ³: the transform of the unit ball over its volume; a series below κ = 1."""
    sine, cosine = sincos_turns64(q)
    kappa = 6.283185307179586 * q
    square = kappa * kappa
    series = -48.0 / 355687428096000.0  # (−1)ⁿ 6 (n + 1) / (2n + 3)!
    series = series * square + 1.0 / 31135104000.0
    series = series * square - 1.0 / 172972800.0
    series = series * square + 1.0 / 1330560.0
    series = series * square - 1.0 / 15120.0
    series = series * square + 1.0 / 280.0
    series = series * square - 0.1
    series = series * square + 1.0
    away = max(abs(kappa), 1.0)
    return series if abs(kappa) < 1.0 else 3.0 * (sine - kappa * cosine) / (away * away * away)


@scalar
def disc(q: Real) -> Real:
    """Return 2 J₁(κ) / κ for q >= 0: the transform of the unit disc over its area, within 10⁻¹⁵.

    Below κ = 8 a polynomial in κ²; above, amplitude and phase of Hankel's expansion as polynomials in κ⁻². Both were
    fitted at Chebyshev's points to 40 digits.
    """
    sine, cosine = sincos_turns64(q)
    kappa = 6.283185307179586 * q
    u = kappa * kappa * (1.0 / 32.0) - 1.0
    near = -8.007526563159351e-13
    near = near * u + 2.331794376807303e-11
    near = near * u - 5.886033667658984e-10
    near = near * u + 1.286238035791714e-08
    near = near * u - 2.39341636446821e-07
    near = near * u + 3.7369052074365473e-06
    near = near * u - 4.809149732006958e-05
    near = near * u + 0.0004989891627194553
    near = near * u - 0.004058078989140915
    near = near * u + 0.02491362878452675
    near = near * u - 0.1094916364256945
    near = near * u + 0.31716752865443676
    near = near * u - 0.5191897305718606
    near = near * u + 0.3030333028761327
    near = near * u + 0.16211732077179591
    near = near * u - 0.11628765591198215
    inverse = 1.0 / max(kappa, 8.0)
    v = 128.0 * inverse * inverse - 1.0
    p = -3.608605547577502e-13
    p = p * v + 1.3951041528127422e-12
    p = p * v - 5.0935811696162e-12
    p = p * v + 2.6935859497280777e-11
    p = p * v - 1.7135355304623532e-10
    p = p * v + 1.3604270469793975e-09
    p = p * v - 1.4708505282683516e-08
    p = p * v + 2.4536764022725565e-07
    p = p * v - 7.959694698837206e-06
    p = p * v + 0.000898804941671665
    p = p * v + 1.0009070262780821
    r = 2.5933903474297753e-12
    r = r * v - 9.334720395447658e-12
    r = r * v + 3.034684827458014e-11
    r = r * v - 1.4612977115507984e-10
    r = r * v + 8.319083967623567e-10
    r = r * v - 5.7218152995376314e-09
    r = r * v + 5.1361005110325873e-08
    r = r * v - 6.633566880210731e-07
    r = r * v + 1.4569614812613674e-05
    r = r * v - 0.000769716705772837
    r = r * v + 0.3742149922195918
    # J₁(κ) = √(2 / (π κ)) (p cos χ − r/κ sin χ) with χ = κ − 3π/4
    far = sqrt(inverse * 0.3183098861837907) * (p * (sine - cosine) + r * inverse * (sine + cosine))
    return near if kappa < 8.0 else 2.0 * inverse * far
