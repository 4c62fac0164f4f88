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
# # The first five minutes
#
# From a recipe to arrays in four steps. Run the cells in order (`jupytext --to notebook first_dataset.py` makes an
# `.ipynb`), or the whole file with `python first_dataset.py`; it takes about half a minute on two cores.

# %%
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

folder = Path(mkdtemp(prefix="phantomsim-"))

# %% [markdown]
# ## 1. A recipe
#
# A recipe is data: what is scanned, with what, read how, and reconstructed how. Any number in it may be a distribution;
# here each sample draws its own object, its own tube voltage and its own dose. Units are in the names of the fields.

# %%
RECIPE = """
schema = 1
name = "first"
seed = 7
samples = 8
splits = { train = 0.6, test = 0.4 }

[phantom]
kind = "ellipsoids"
lesions = { count = { integers = [1, 3] }, diameter_mm = [8.0, 20.0] }

[grid.image]
shape = [1, 128, 128]
spacing_mm = [1.0, 3.2, 3.2]

[scan.ct]
kind = "ct"
tube = { kvp = { choice = [100, 120] }, filter_al_mm = 6.0, rotation_mas = 200.0 }
detector = { kind = "energy-integrating", material = "gos", thickness_mm = 1.4 }

[scan.ct.geometry]
kind = "fan-arc"
n_views = 360
n_columns = 256
pitch_mm = 3.6
column_offset = 0.25
source_to_axis_mm = 541.0
source_to_detector_mm = 949.0

[take.low]
of = "scan.ct"
exposure = { loguniform = [0.01, 0.1] }

[take.full]
of = "scan.ct"

[image.low]
of = "take.low"
method = { kind = "fbp", filter = "hann", unit = "hu" }
grid = "image"

[image.full]
of = "take.full"
method = { kind = "fbp", filter = "hann", unit = "hu" }
grid = "image"

[[pair]]
input = "image.low"
target = "image.full"
extra = ["take.low.line_integral", "phantom.labels", "phantom.lesions"]
"""
(folder / "first.toml").write_text(RECIPE)

# %% [markdown]
# ## 2. Generate
#
# The same as `phantomsim generate first.toml` in a shell. Stop it whenever you like: the next call goes on where it
# stopped, and what comes out is the same to the byte, whatever the number of workers.

# %%
from phantomsim.dataset.recipe import Recipe
from phantomsim.dataset.recipe_job import job_of
from phantomsim.dataset.storage.run import run

store = folder / "first.zarr"
done = run(store, job_of(Recipe.load(folder / "first.toml")))
print(f"{done.made_samples} samples in {done.seconds:.1f} s, {done.n_bytes / 2**20:.1f} MiB in {store}")

# %% [markdown]
# ## 3. Open
#
# `open_dataset` gives labelled arrays: the table of samples with every drawn parameter at the root, and below it each
# product with its axes, units and coordinates. Nothing is read before it is used.

# %%
from phantomsim.dataset.view import open_dataset

data = open_dataset(store, split="train")
print(data.ds[["split", "scan.ct.tube.kvp", "take.low.exposure"]].to_dataframe())
print(data["image/low"])

# %% [markdown]
# For training there is `Pairs`: numbered pairs of plain numpy arrays, `(input, target)`, which a PyTorch `DataLoader`
# takes as it is.

# %%
from phantomsim.dataset.pairs import Pairs

pairs = Pairs(store, split="train", extra=("phantom.lesions",))
low, full, extra = pairs[0]
print(low.shape, low.dtype, f"noise {np.std(low - full):.0f} HU;", len(extra["phantom.lesions"]), "lesions")

# %% [markdown]
# ## 4. Look
#
# A picture of a few samples, and the report of the whole set: one HTML file with everything that a reader may ask.

# %%
from phantomsim.report.html import write_report

print(write_report(store, folder / "report.html"))

# %% [markdown]
# Next: change a number in the recipe and generate again; `phantomsim list` names every phantom, scanner and
# reconstructor, `phantomsim init ct-low-dose` copies a full recipe to start from, and `learn_low_dose_ct.py` beside
# this file trains a network.
