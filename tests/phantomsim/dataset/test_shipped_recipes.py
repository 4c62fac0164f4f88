import importlib.util
from pathlib import Path

import numpy as np
import pytest

from phantomsim.dataset.recipe import Recipe
from phantomsim.dataset.sample import make_sample
from phantomsim.physics.rng import Key

ROOT = Path(__file__).parents[3]


def shipped(name: str) -> Recipe:
    return Recipe.load(ROOT / "datasets" / name)


def test_low_dose_pairs_show_one_anatomy_and_the_noisier_image_is_the_input() -> None:
    sample = make_sample(shipped("ct-low-dose"), 0)
    low, full, truth = (sample.arrays[name].values for name in ("image/low", "image/full", "truth/hu"))
    labels = sample.arrays["phantom/labels"]
    (liver,) = [i for i, name in enumerate(labels.attrs["tissues"]) if name.startswith("liver")]
    inside = np.zeros(truth.shape, bool)
    inside[0, 2:-2, 2:-2] = np.lib.stride_tricks.sliding_window_view(labels.values[0] == liver, (5, 5)).all((-1, -2))
    assert inside.sum() > 1000
    assert np.median((full - truth)[inside]) == pytest.approx(0.0, abs=10.0)  # 100 kV seen at 70 keV, with iodine
    # quantum noise falls with the square root of the dose; the interpolation of dark readings adds to it
    dose = sample.parameters["take.low.exposure"]
    assert (low - truth)[inside].std() / (full - truth)[inside].std() == pytest.approx(dose**-0.5, rel=0.25)


@pytest.mark.skipif(importlib.util.find_spec("data_store") is None, reason="needs the images of pydicom-data")
def test_a_real_slice_scanned_anew_has_its_own_ct_numbers() -> None:
    recipe = shipped("ct-low-dose-real")
    index = next(i for i in range(50) if "explicit" in str(_phantom(recipe, i)))
    sample = make_sample(recipe, index)
    full, truth = sample.arrays["image/full"].values, sample.arrays["truth/hu"].values
    soft = (truth > -20) & (truth < 120)
    assert soft.sum() > 5000
    assert np.median(full[soft] - truth[soft]) == pytest.approx(0.0, abs=5.0)
    assert sample.subject == "data_store:data/explicit_VR-UN.dcm"


def test_all_draws_of_one_patient_have_one_subject() -> None:
    recipe = shipped("ct-low-dose-real")
    paths = {str(_phantom(recipe, i)) for i in range(30)}
    assert len(paths) == 3


def _phantom(recipe: Recipe, index: int) -> str:
    return recipe.draw(Key(recipe.seed).fold(index).fold("recipe")).phantom.path  # type: ignore[attr-defined,no-any-return]
