"""The primal-dual hybrid gradient method of Chambolle and Pock for sums of convex functions of linear operators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from phantomsim.physics.array import Array
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.operator import LinearOperator
from phantomsim.physics.solvers.iterates import squared_norm

SAFETY: Final = 1.02
"""On norms that come from power iteration, which ends below the norm."""

IMBALANCE: Final = 4.0
"""Ratio of the squared primal and dual steps from which on the step sizes change."""

ADAPTIVITY: Final = 0.2
"""Part by which they change at first."""

DECAY: Final = 0.97
"""Of this part with each change: the product of all changes is finite, so that the method converges."""


@dataclass(frozen=True)
class Term:
    """A term F(K x) of the objective.

    Parameters
    ----------
    operator
        K.
    norm
        ‖K‖, or a bound from above.
    proximal_conjugate
        ``(v, σ) → argmin_p F*(p) + ‖p − v‖² / (2 σ)``.
    """

    operator: LinearOperator
    norm: float
    proximal_conjugate: Callable[[Array, float], Array]


@dataclass(frozen=True)
class Saddle:
    """Where the iteration stands.

    Parameters
    ----------
    x
        Primal iterate.
    images
        K x of each term.
    duals
        Dual iterate p of each term.
    change
        Size of the last step in the norm in which the method contracts, over the distance from the start.
    """

    x: Array
    images: tuple[Array, ...]
    duals: tuple[Array, ...]
    change: float


def primal_dual(
    terms: Sequence[Term], proximal: Callable[[Array], Array], x0: Array, balance: float = 1.0
) -> Iterator[Saddle]:
    """Approach a minimiser of ``G(x) + Σ F_k(K_k x)``, one iteration for each item asked for.

    ``x ← prox_G(x − τ Σ K_kᴴ p_k)``, then ``p_k ← prox_{σ_k F_k*}(p_k + σ_k K_k (2 x − x_before))`` with
    ``σ_k = s / (n ‖K_k‖²)`` for n terms and ``τ = 1 / s``, for which ``τ Σ σ_k ‖K_k‖² = 1``. The method contracts in
    the norm ``‖x‖²/τ + Σ ‖p_k‖²/σ_k``; s follows the steps so that neither part of it outruns the other for long.

    Parameters
    ----------
    terms
        The terms F_k(K_k x).
    proximal
        Projection onto the convex set of images that are allowed, so that G is 0 in it and infinite elsewhere.
    x0
        First iterate; the duals start at zero.
    balance
        s of the first iteration.

    Yields
    ------
        The state after each iteration.

    Raises
    ------
    RecipeError
        If the norm of an operator is zero.

    References
    ----------
    A. Chambolle and T. Pock, "A first-order primal-dual algorithm for convex problems with applications to imaging",
    J. Math. Imaging Vis. 40 (2011), algorithm 1, doi:10.1007/s10851-010-0251-1. T. Goldstein, M. Li, X. Yuan, E. Esser
    and R. Baraniuk, "Adaptive primal-dual hybrid gradient methods for saddle-point problems" (2013), arXiv:1305.0546.
    """
    if any(not term.norm > 0 for term in terms):
        raise RecipeError("an operator of the objective maps the first image's space to zero, or its norm is not known")
    x = x0
    images = [term.operator.forward(x) for term in terms]
    duals = [0 * image for image in images]
    back = 0 * x
    scale, adaptivity = balance, ADAPTIVITY
    while True:
        sigmas = [scale / (len(terms) * term.norm**2) for term in terms]
        before, before_images, before_duals = x, images, duals
        x = proximal(x - back / scale)
        images = [term.operator.forward(x) for term in terms]
        duals = [
            term.proximal_conjugate(p + sigma * (2 * new - old), sigma)
            for term, p, sigma, new, old in zip(terms, duals, sigmas, images, before_images, strict=True)
        ]
        back = sum(term.operator.adjoint(p) for term, p in zip(terms, duals, strict=True))
        primal_way, dual_way = _ways(x - x0, duals, terms)
        primal, dual = _ways(x - before, [new - old for new, old in zip(duals, before_duals, strict=True)], terms)
        primal, dual = scale * primal, dual / scale
        way = scale * primal_way + dual_way / scale
        yield Saddle(x, tuple(images), tuple(duals), sqrt((primal + dual) / way) if way > 0 else 0.0)
        if max(primal, dual) > IMBALANCE * min(primal, dual):
            scale *= 1 / (1 - adaptivity) if dual > primal else 1 - adaptivity
            adaptivity *= DECAY


def _ways(x: Array, duals: Sequence[Array], terms: Sequence[Term]) -> tuple[float, float]:
    """Return ‖x‖² and Σ ‖p_k‖² n ‖K_k‖²: the squares that s and 1 / s weigh."""
    weighted = [len(terms) * term.norm**2 * squared_norm(p) for term, p in zip(terms, duals, strict=True)]
    return squared_norm(x), sum(weighted)
