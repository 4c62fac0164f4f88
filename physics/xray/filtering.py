"""Ramp filters for filtered backprojection, exact for band-limited projections.

The ramp is sampled in space, not in frequency: a ramp sampled in frequency has no mean and would make a whole image
too dark.

References
----------
A. C. Kak and M. Slaney, *Principles of Computerized Tomographic Imaging*, IEEE Press (1988), chapter 3,
doi:10.1137/1.9780898719277: eq. 61 (kernel), §3.4.1 (arc), §3.4.2 (flat).
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.kernel import n_threads
from phantomsim.physics.xray.geometry import FanBeam, PlanarScan

Window = Literal["ram-lak", "shepp-logan", "cosine", "hamming", "hann"]
LINES_AT_ONCE: Final = 256  # their spectra stay in cache

Float64 = npt.NDArray[np.float64]


def window(name: Window, frequency: Float64) -> Float64:
    """Return the factor that a filter puts on the ramp.

    Parameters
    ----------
    name
        ``"ram-lak"`` leaves the ramp as it is; the others fall towards the cutoff.
    frequency
        Frequency in units of the cutoff; beyond 1 the factor is 0.

    Raises
    ------
    RecipeError
        If there is no such filter.
    """
    match name:
        case "ram-lak":
            factor = np.ones_like(frequency)
        case "shepp-logan":
            factor = np.sinc(frequency / 2)
        case "cosine":
            factor = np.cos(np.pi * frequency / 2)
        case "hamming":
            factor = 0.54 + 0.46 * np.cos(np.pi * frequency)
        case "hann":
            factor = 0.5 + 0.5 * np.cos(np.pi * frequency)
        case _:
            raise RecipeError(f"filter must be one of {', '.join(get_args(Window))}, got {name!r}")
    return np.where(frequency <= 1 + 1e-12, factor, 0.0)


def ramp_kernel(scan: PlanarScan) -> Float64:
    """Return the band-limited ramp at distances of 0 to ``n_columns - 1`` columns, times the distance of two columns.

    Distances are lengths for parallel rays, tangents of fan angles for a flat detector, and angles for an arc, whose
    kernel holds the factor (γ / sin γ)² too.
    """
    step = scan.pitch / scan.source_to_detector if isinstance(scan, FanBeam) else scan.pitch
    n = np.arange(scan.n_columns, dtype=np.float64)
    kernel = np.zeros(scan.n_columns)
    kernel[0] = 1 / (4 * step)
    kernel[1::2] = -1 / (np.pi**2 * n[1::2] ** 2 * step)
    if isinstance(scan, FanBeam) and scan.detector == "arc":
        kernel[1::2] *= (n[1::2] * step / np.sin(n[1::2] * step)) ** 2
    return kernel


def filter_projections(projections: Array, scan: PlanarScan, filter: Window = "ram-lak", cutoff: float = 1.0) -> Array:
    """Convolve every line of columns with the ramp.

    Parameters
    ----------
    projections
        Weighted projections (view, row, column).
    scan
        Geometry; it decides which ramp.
    filter
        Window on the ramp's spectrum.
    cutoff
        Highest frequency that passes, in units of the Nyquist frequency of the columns, in (0, 1].

    Returns
    -------
        Filtered projections (view, row, column), in the unit of `projections` over that of a column's step (1/m for
        parallel rays, 1 for fans), of the same dtype and device.

    Raises
    ------
    RecipeError
        If there is no such filter, or the cutoff is out of range.
    ShapeError
        If the projections are not of this scan.
    """
    if not 0 < cutoff <= 1:
        raise RecipeError(f"cutoff must be in (0, 1] of the Nyquist frequency, got {cutoff!r}")
    if projections.ndim != 3 or (projections.shape[0], projections.shape[2]) != (scan.n_views, scan.n_columns):
        raise ShapeError(
            f"the scan gives (view {scan.n_views}, row, column {scan.n_columns}), got {tuple(projections.shape)}"
        )
    xp = namespace(projections)
    kernel = ramp_kernel(scan)
    length = _fast_length(2 * scan.n_columns - 1)  # no line wraps onto itself
    padded = np.zeros(length)
    padded[: scan.n_columns] = kernel
    padded[length - scan.n_columns + 1 :] = kernel[:0:-1]
    frequency = np.arange(length // 2 + 1) / (length / 2)
    response = xp.asarray(np.fft.rfft(padded).real * window(filter, frequency / cutoff), projections.dtype)
    filtered = xp.empty(projections.shape, projections.dtype)
    lines, results = projections.reshape(-1, scan.n_columns), filtered.reshape(-1, scan.n_columns)
    for first in range(0, len(lines), LINES_AT_ONCE):
        part = slice(first, first + LINES_AT_ONCE)
        results[part] = _convolve(lines[part], response, length)[:, : scan.n_columns]
    return filtered


def _fast_length(at_least: int) -> int:
    from scipy.fft import next_fast_len

    return int(next_fast_len(at_least, real=True))


def _convolve(lines: Array, response: Array, length: int) -> Array:
    xp = namespace(lines)
    if xp is not np:
        return xp.fft.irfft(xp.fft.rfft(lines, length) * response, length)
    from scipy.fft import irfft, rfft

    spectrum = rfft(lines, length, workers=n_threads())
    spectrum *= response
    return irfft(spectrum, length, workers=n_threads(), overwrite_x=True)
