"""Scanners by name."""

import pytest

from phantomsim.dataset.recipe import Recipe
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key
from phantomsim.scanners import presets
from phantomsim.scanners.ct import CT
from phantomsim.scanners.ct_spec import CTTake

RECIPE = """
schema = 1
name = "by-name"
seed = 1
samples = 1
splits = { train = 1.0 }
[phantom]
kind = "water-cylinder"
[grid.image]
shape = [1, 32, 32]
spacing_mm = [1.0, 8.0, 8.0]
[scan.ct]
preset = "clinical-ct-slice"
tube = { kvp = 100.0 }
[take.ct]
of = "scan.ct"
[image.ct]
of = "take.ct"
method = { kind = "fbp" }
grid = "image"
[[pair]]
input = "image.ct"
target = "image.ct"
"""


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_is_a_scanner_that_reads_its_air_scan_without_saturation(name: str) -> None:
    scanner = CT.model_validate(presets.fields(name))
    scanner.check(CTTake())
    assert scanner.tube.spectrum().mean_energy > 25
    assert presets.summary(name)


def test_own_fields_lie_over_those_of_the_preset() -> None:
    recipe = Recipe.from_text(RECIPE)
    scanner = recipe.draw(Key(1)).scans["ct"].scanner
    assert scanner.tube.kvp == 100
    assert scanner.tube.rotation_mas == 200
    assert scanner.geometry.n_columns == 900


def test_the_digest_covers_what_the_preset_says() -> None:
    written = RECIPE.replace('preset = "clinical-ct-slice"', "").replace("tube = { kvp = 100.0 }", "")
    spelled = written.replace("[scan.ct]", '[scan.ct]\nkind = "ct"\nbowtie = "large"\nscan_s = 1.0')
    fields = presets.fields("clinical-ct-slice")
    fields["tube"]["kvp"] = 100.0
    tables = "".join(
        f"[scan.ct.{part}]\n" + "".join(f"{k} = {v!r}\n".replace("'", '"') for k, v in fields[part].items())
        for part in ("geometry", "tube", "detector")
    )
    spelled = spelled.replace("[take.ct]", f"{tables}[take.ct]")
    assert Recipe.from_text(spelled).digest == Recipe.from_text(RECIPE).digest


def test_a_wrong_name_gets_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"scan\.ct\.preset.*did you mean 'micro-ct'"):
        Recipe.from_text(RECIPE.replace("clinical-ct-slice", "mikro-ct"))
