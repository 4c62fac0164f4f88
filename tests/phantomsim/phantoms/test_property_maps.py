import numpy as np
import pytest

from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.registry import PHANTOMS

PROPERTIES = (
    *("density", "mr.proton_density", "mr.susceptibility", "acoustic.sound_speed", "acoustic.attenuation"),
    *("optical.reduced_scattering_500nm", "optical.refractive_index", "pet.fdg_suv"),
)
SMALL = Grid((2, 12, 12), (0.003, 0.02, 0.02))


@pytest.mark.parametrize("kind", ["head", "thorax", "abdomen", "breast", "small-animal", "vessels"])
def test_every_group_of_properties_is_known_of_all_that_an_anatomy_is_made_of(kind: str) -> None:
    """Couches, beds and paddles too: what is solid gives no signal, but it has a value for each modality."""
    for seed in range(2):
        phantom = PHANTOMS.get(kind)(kind=kind).generate(Key(seed))  # type: ignore[attr-defined]
        for name in PROPERTIES:
            assert np.isfinite(phantom.map(name, SMALL)).all(), name


@pytest.mark.parametrize("tissue", ["polystyrene", "pmma"])
def test_a_couch_shows_in_no_tracer_and_no_magnet(tissue: str) -> None:
    phantom = PHANTOMS.get("water-cylinder")(kind="water-cylinder", tissue=tissue).generate(Key(0))  # type: ignore[attr-defined]
    for name in ("pet.fdg_suv", "mr.proton_density"):
        assert not phantom.map(name, SMALL).any()
