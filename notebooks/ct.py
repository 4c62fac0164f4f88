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
# # CT, from spectrum to image
#
# What one CT scan is made of, step by step, and then what can go wrong with it: each effect beside its clean twin. Run
# the cells in order (`jupytext --to notebook ct.py` makes an `.ipynb`), or `python ct.py`, which leaves PNG files in
# the folder it names; it takes about a minute on two cores.

# %%
import sys
from pathlib import Path
from tempfile import mkdtemp

import matplotlib as mpl

if "ipykernel" not in sys.modules:
    mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np

from phantomsim.dataset.recipe import Recipe
from phantomsim.dataset.sample import make_sample
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.spectrum import tube_spectrum
from phantomsim.recon.fbp import FBP
from phantomsim.registry import PHANTOMS
from phantomsim.report.preview import preview
from phantomsim.scanners import presets
from phantomsim.scanners.ct import CT
from phantomsim.scanners.ct_spec import CTTake, material_of
from phantomsim.tissues import get

folder = Path(mkdtemp(prefix="phantomsim-"))


def show(figure, name):
    figure.savefig(folder / f"{name}.png", dpi=110)
    print(folder / f"{name}.png")


# %% [markdown]
# ## The beam
#
# A tungsten tube at three voltages behind 6 mm of aluminium: what leaves it for a square metre at one metre.

# %%
figure, panel = plt.subplots(figsize=(6, 3.2), layout="constrained")
for kvp in (80, 100, 120):
    spectrum = tube_spectrum(kvp, np.radians(7.0), [(material_of(get("aluminum")), 6e-3)])
    panel.plot(spectrum.energy, spectrum.fluence, label=f"{kvp} kV, mean {spectrum.mean_energy:.1f} keV")
panel.set(xlabel="photon energy [keV]", ylabel="photons / (m² mAs) a bin")
panel.legend()
show(figure, "spectrum")

# %% [markdown]
# ## From path lengths to an image
#
# `simulate` measures how far each ray runs in each tissue, exactly; `detect` draws what the detector reads of it, and
# corrects it as a scanner does. One signal serves any number of doses.

# %%
scanner = CT.model_validate(presets.fields("clinical-ct-slice"))
chest = PHANTOMS.get("thorax")(kind="thorax").phantom(Key(3).fold("phantom"))
signal = scanner.simulate(chest, Key(3).fold("scan"))
grid = Grid((1, 320, 320), (1e-3, 1.3e-3, 1.3e-3))
images = {"expected": scanner.detect(signal, CTTake(), None)}
for exposure in (1.0, 0.1):
    images[f"{100 * exposure:g} % dose"] = scanner.detect(signal, CTTake(exposure=exposure), Key(3).fold("take"))
figure, axes = plt.subplots(2, 3, figsize=(11, 7), layout="constrained")
for (name, data), (above, below) in zip(images.items(), axes.T, strict=True):
    above.imshow(data["line_integral"].values[:, 0], aspect="auto", cmap="magma")
    above.set(title=f"line integrals, {name}", xlabel="column", ylabel="view")
    image = FBP(filter="hann", unit="hu").reconstruct({"data": data}, grid)
    below.imshow(image.values[0], cmap="gray", vmin=-160, vmax=240)
    below.set(title=name, xticks=[], yticks=[])
show(figure, "chain")

# %% [markdown]
# ## One figure an effect
#
# Each shipped recipe is one learning problem; its preview shows input, target and what is between them.

# %%
for name in ("ct-low-dose", "ct-sparse-view", "ct-metal-artefact", "ct-rings", "ct-motion"):
    recipe = Recipe.load(name)
    samples = [make_sample(recipe, index) for index in (1, 2)]
    print(preview(samples, recipe.outline.pairs, folder / f"{name}.png", indices=(1, 2), dpi=90))
