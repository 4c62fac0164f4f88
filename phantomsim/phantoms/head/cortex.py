"""The folded cortex: sulci as flat capsules of cerebrospinal fluid that reach inwards, lined with grey matter."""

from __future__ import annotations

from math import pi
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.head.frame import FRONTAL, PARIETAL, SIDES, Head, Oval, fill, frame, middle_fossa, normal
from phantomsim.phantoms.scene import Part
from phantomsim.physics.rng import Key, uniform
from phantomsim.physics.shapes import Shape, capsule

SPACING: Final = 11.0
"""Distance between neighbouring sulci, and so the width of a gyrus [mm]."""
RUN: Final = 29.0
"""Length along the surface of one piece of a sulcus [mm]."""
LOWEST: Final = -24.0
"""Sulci of the convexity begin above this level [mm]."""

Vector = npt.NDArray[np.float64]


def cerebrum(head: Head) -> list[Part]:
    """Return the two hemispheres and temporal lobes without folds: grey matter, and white matter in it."""
    lobes = (PARIETAL, FRONTAL, middle_fossa(-1), middle_fossa(1))
    grey = [head.oval(oval, -head.csf) for oval in lobes]
    white = [head.oval(oval, -head.csf - head.cortex) for oval in reversed(lobes)]  # the largest is the topmost
    return fill(grey, "gray_matter", "cortex") + fill(white, "white_matter", "white matter")


def _surface(oval: Oval, head: Head) -> tuple[Vector, Vector]:
    """Return middle and semi-axes of the brain's surface in an oval [mm]."""
    centre, semi_axes = oval
    return np.multiply(head.stretch, centre), np.multiply(head.stretch, semi_axes) - head.csf


def _convexity(head: Head, key: Key) -> list[tuple[Vector, Vector, Vector]]:
    """Return root, inward direction and run of each sulcus of the convexity.

    They stand like bricks: rows along the meridians, half a gyrus apart from one row to the next, then each is moved,
    tilted and turned at random.
    """
    found = []
    middle, radii = _surface(PARIETAL, head)
    second, others = _surface(FRONTAL, head)
    step = RUN / float(radii.mean()) * 0.97
    for row, latitude in enumerate(np.arange(-0.55, 1.5, step)):
        circle = 2 * pi * float(np.cos(latitude)) * float(np.sqrt(radii[1] * radii[2]))
        n = max(3, round(circle / SPACING))
        draws = uniform(key.fold("row", row), (n, 5), dtype=np.float64) - 0.5
        for i, (move, lift, turned, lean, nod) in enumerate(draws.tolist()):
            longitude = 2 * pi * (i + 0.5 * (row % 2) + 0.55 * move) / n
            high = latitude + 0.4 * step * lift
            ray = np.array([np.sin(high), np.cos(high) * np.cos(longitude), np.cos(high) * np.sin(longitude)])
            root, centre, axes = middle + radii * ray, middle, radii
            if (beyond := float(np.linalg.norm((root - second) / others))) < 1:  # the frontal oval is the surface here
                root, centre, axes = second + (root - second) / beyond, second, others
            outward = (root - centre) / axes**2
            outward /= np.linalg.norm(outward)
            meridian = np.array([1.0, 0.0, 0.0]) - outward[0] * outward
            meridian /= np.linalg.norm(meridian)
            aside = normal(outward, meridian)
            run = meridian * np.cos(1.5 * turned) + aside * np.sin(1.5 * turned)
            inward = -outward + 0.9 * lean * normal(outward, run) + 0.3 * nod * run
            if root[0] > LOWEST and abs(root[2]) > 5:
                found.append((root, inward / np.linalg.norm(inward), run))
    return found


def _medial(head: Head, key: Key) -> list[tuple[Vector, Vector, Vector]]:
    """Return the sulci of the medial walls, which begin at the fissure between the hemispheres."""
    found = []
    middle, radii = _surface(PARIETAL, head)
    for side in SIDES:
        draws = uniform(key.fold(side), (16, 4), dtype=np.float64) - 0.5
        for i, (move, lift, turned, lean) in enumerate(draws.tolist()):
            angle = pi * (i + 0.5 + 0.6 * move) / 16 * 1.1 - 0.16  # from the front over the top to the back
            out = 0.72 + 0.16 * lift
            ray = np.array([np.sin(angle), -np.cos(angle), 0.0])
            root = middle + out * radii * ray
            root[2] = side * 1.6
            run = np.array([np.cos(turned), np.sin(turned), 0.0])  # upright, so that sections cut across it
            inward = np.array([0.0, 0.0, float(side)]) + 0.8 * lean * normal(run, (0.0, 0.0, 1.0))
            found.append((root, inward / np.linalg.norm(inward), run))
    return found


def _temporal(head: Head, key: Key) -> list[tuple[Vector, Vector, Vector]]:
    """Return the sulci of the temporal lobes, on their sides below the level where the convexity's end."""
    found = []
    for side in SIDES:
        middle, radii = _surface(middle_fossa(side), head)
        draws = uniform(key.fold(side), (8, 3), dtype=np.float64) - 0.5
        for i, (move, lift, turned) in enumerate(draws.tolist()):
            longitude = (
                (-0.9 + 2.4 * (i + 0.5 + 0.6 * move) / 8) if side > 0 else pi + 0.9 - 2.4 * (i + 0.5 + 0.6 * move) / 8
            )
            latitude = -0.35 + 0.4 * lift
            ray = np.array(
                [np.sin(latitude), np.cos(latitude) * np.sin(longitude), np.cos(latitude) * np.cos(longitude)]
            )
            inward = -ray / radii
            inward /= np.linalg.norm(inward)
            run = np.array([np.cos(turned), np.sin(turned), 0.0])
            run -= (run @ inward) * inward
            found.append((middle + radii * ray, inward, run / np.linalg.norm(run)))
    return found


def _blade(head: Head, root: Vector, inward: Vector, run: Vector, reach: float, width: float, grow: float) -> Shape:
    """Return a flat capsule from the surface inwards: `reach` deep and `width` thick [mm], with a lining `grow`."""
    depth, thickness = (reach + grow) / 2, width / 2 + grow
    z, y, x = (float(c) for c in 1e-3 * (root + (depth - 0.3) * inward))
    semi_axes = (1e-3 * (RUN / 2 + grow / 2), 1e-3 * depth, 1e-3 * thickness)
    return capsule((z, y, x), semi_axes, frame(run, normal(run, inward)))


def folds(head: Head, key: Key) -> list[Part]:
    """Return the linings of all sulci, and above them the sulci themselves."""
    roots = [*_convexity(head, key.fold("convexity")), *_medial(head, key.fold("medial"))]
    roots += _temporal(head, key.fold("temporal"))
    draws = uniform(key.fold("size"), (len(roots), 3), dtype=np.float64)
    linings, sulci = [], []
    for (root, inward, run), (deep, wide, branch) in zip(roots, draws.tolist(), strict=True):
        reach = 11.0 + 13.0 * deep if abs(root[2]) > 5 else 6.0 + 6.0 * deep
        width = (0.8 + 1.3 * head.atrophy) * (0.75 + 0.5 * wide)
        linings.append(_blade(head, root, inward, run, reach, width, head.cortex))
        sulci.append(_blade(head, root, inward, run, reach, width, 0.0))
        if branch < 0.3 and reach > 13:  # the bottom of a deep sulcus turns aside
            sign = 1.0 if branch < 0.15 else -1.0
            toward = 0.45 * inward + sign * normal(run, inward)
            toward /= np.linalg.norm(toward)
            bottom = root + (reach - 2.0) * inward
            linings.append(_blade(head, bottom, toward, run, 7.0, 0.8 * width, head.cortex))
            sulci.append(_blade(head, bottom, toward, run, 7.0, 0.8 * width, 0.0))
    return fill(linings, "gray_matter", "cortex") + fill(sulci, "csf", "sulcus")


def midline(head: Head) -> list[Part]:
    """Return the sagittal sinus, the medial walls of the hemispheres, the fissure between them, and the falx."""
    gap = 0.9 + 0.9 * head.atrophy
    large = (PARIETAL, FRONTAL)
    layers = (
        ("blood_venous", "vessel", 0.0, 3.6),
        ("gray_matter", "cortex", -max(head.csf, 5.0), gap + head.cortex),
        ("csf", "csf", -max(head.csf, 4.5), gap),
        ("soft_tissue", "falx", -1.0, 0.45),
    )
    parts = []
    for tissue, name, margin, x in layers:
        parts += fill([head.oval(oval, margin, x=x) for oval in large], tissue, name)
    return parts
