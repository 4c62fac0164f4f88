# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # One phantom, every scanner
#
# A seed makes a body; each scanner sees that body. This page shows the anatomies in the contrast of five modalities,
# what can be put into them, how they move and take up contrast agent, and how exact they are. Run the cells in order
# (`jupytext --to notebook phantoms.py` makes an `.ipynb`), or `python phantoms.py`, which leaves PNG files in the
# folder it names; it takes about a minute on two cores.

# %%
import sys
from pathlib import Path
from tempfile import mkdtemp

import matplotlib as mpl

if "ipykernel" not in sys.modules:
    mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np

from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.registry import PHANTOMS
from phantomsim.report.portrait import gallery_figure
from phantomsim.tissues import get

folder = Path(mkdtemp(prefix="phantomsim-"))


def phantom(kind, seed=3, **fields):
    return PHANTOMS.get(kind)(kind=kind, **fields).phantom(Key(seed).fold("phantom"))


def show(figure, name):
    figure.savefig(folder / f"{name}.png", dpi=110)
    print(folder / f"{name}.png")


# %% [markdown]
# ## The anatomies
#
# Every column is one random body. `phantomsim preview head` makes a larger picture of one, in three planes.

# %%
bodies = {
    "head": phantom("head", level_mm=(-10, -10)),
    "thorax": phantom("thorax"),
    "abdomen": phantom("abdomen", phase="portal"),
    "breast": phantom("breast", density="c"),
    "small animal": phantom("small-animal"),
    "hip": phantom("hip"),
}
show(gallery_figure(bodies), "gallery")

# %% [markdown]
# ## Lesions
#
# The same place in the same liver, in six forms; the truth table of each sample has volume, tissue and uptake.

# %%
forms = ("smooth", "lobulated", "spiculated", "cavity", "calcified", "microcalcifications")
figure, axes = plt.subplots(1, 6, figsize=(13, 2.6), layout="constrained")
for panel, shape in zip(axes, forms, strict=True):
    lesions = {"count": 1, "diameter_mm": (24, 24), "shape": shape, "iodine_mg_ml": 40.0}
    body = phantom("water-cylinder", tissue="liver", diameter_mm=60, lesions=lesions)
    z, y, x = (1e-3 * c for c in body.truths["lesions"][0]["centre_mm"])
    depth = 48 if shape == "microcalcifications" else 1  # specks are seen by their maximum over the cluster
    slab = body.map("density", Grid((depth, 256, 256), (5e-4, 1.2e-4, 1.2e-4), (z, y, x)))
    panel.imshow(slab.max(axis=0), cmap="gray", vmin=1000, vmax=1160)
    panel.set(title=shape, xticks=[], yticks=[])
show(figure, "lesions")

# %% [markdown]
# ## Contrast agent and tracer over time
#
# One injection, the same curve for iodine in CT and gadolinium in MR: `phantom.at(time)` is the body at that time.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
enhanced = phantom("abdomen", phase="native", injection={"agent": "iodine", "dose_mmol_kg": 1.3, "injection_s": 25})
traced = phantom("head", injection={"agent": "fdg"})
seconds, minutes = np.arange(0, 200, 2.0), np.arange(0, 90, 1.0)
for organ in ("blood", "kidney_cortex", "liver", "muscle"):
    left.plot(seconds, [enhanced.enhancement.concentration(get(organ), t) for t in seconds], label=organ)
for organ in ("blood", "gray_matter", "white_matter", "muscle"):
    right.plot(minutes, [traced.enhancement.tissue(get(organ), 60 * t).pet.fdg_suv for t in minutes], label=organ)
left.set(xlabel="time [s]", ylabel="agent [mmol/L]", title="1.3 mmol/kg over 25 s")
right.set(xlabel="time [min]", ylabel="SUV", title="FDG")
left.legend()
right.legend()
show(figure, "kinetics")

# %% [markdown]
# ## Motion
#
# The chest breathes and the heart beats; the displacement of every point is part of the truth.

# %%
chest = phantom("thorax", motion={})
grid = Grid((160, 1, 180), (2.2e-3, 2e-3, 2e-3), (0.0, -0.02, 0.0))
figure, axes = plt.subplots(1, 4, figsize=(13, 3.6), layout="constrained")
for panel, time in zip(axes, (0.0, 0.8, 1.6, 2.4), strict=True):
    panel.imshow(chest.at(time).map("density", grid)[::-1, 0], cmap="gray", vmin=0, vmax=1400)
    far = 1e3 * np.abs(chest.displacement(grid, time)).max()
    panel.set(title=f"{time:g} s, up to {far:.1f} mm", xticks=[], yticks=[])
show(figure, "motion")

# %% [markdown]
# ## How exact?
#
# Lines through a scene and its Fourier transform are closed forms; voxels only come near them. Here the voxels of
# random ellipsoids are compared with the closed forms, ever finer.

# %%
from phantomsim.physics.xray.geometry import ParallelBeam, rays
from phantomsim.physics.xray.projector import JosephProjector

body = phantom("ellipsoids")
scan = ParallelBeam(60, 400, 1e-3)
density = np.array([tissue.density - body.tissues[0].density for tissue in body.tissues])
lines = rays(scan, np.zeros(1), n_subcolumns=8)
exact = (body.path_lengths(lines) @ density).reshape(60, 1, 400, 8).mean(axis=-1)
sizes = np.array([64, 128, 256, 512])
errors = []
for n in sizes:
    grid = Grid((1, n, n), (1e-4, 0.48 / n, 0.48 / n))
    voxels = (body.map("density", grid) - np.float32(body.tissues[0].density)).astype(np.float32)
    errors.append(np.sqrt(np.mean((JosephProjector(scan, grid)(voxels) - exact) ** 2)) / exact.max())
figure, panel = plt.subplots(figsize=(4.5, 3.4), layout="constrained")
panel.loglog(sizes, errors, "o-", label="voxels and Joseph's lines")
panel.loglog(sizes, errors[0] * (sizes[0] / sizes), "k:", label="first order")
panel.set(xlabel="voxels along a side", ylabel="RMS error over the largest line")
panel.set_xticks(sizes, sizes)
panel.minorticks_off()
panel.legend()
show(figure, "convergence")
assert (np.diff(errors) < 0).all()
