import pytest

from phantomsim.physics.errors import RecipeError, UnitError
from phantomsim.tissues import get
from phantomsim.tissues.agents import agent


def test_gadolinium_adds_its_relaxivity_to_the_rates():
    blood = get("blood")
    times, before = agent("gadolinium").in_tissue(blood, 2.0).mr.relaxation[0], blood.mr.relaxation[0]
    assert 1 / times.t1 == pytest.approx(1 / before.t1 + 2 * 4.1)  # Rohrer 2005, Gd-DTPA in plasma at 1.5 T
    assert 1 / times.t2 == pytest.approx(1 / before.t2 + 2 * 4.6)


@pytest.mark.parametrize(("name", "mass"), [("gadolinium", 0.15725), ("iodine", 3 * 0.126904)])
def test_a_mole_of_agent_weighs_its_element(name, mass):
    # standard atomic weights (IUPAC): Gd 157.25, I 126.904
    tissue = agent(name).in_tissue(get("blood"), 10.0)
    assert tissue.density - get("blood").density == pytest.approx(10 * mass, rel=1e-4)


def test_a_wrong_name_gets_the_nearest():
    with pytest.raises(RecipeError, match="did you mean 'gadolinium'"):
        agent("gadolinum")


def test_a_negative_concentration_is_refused():
    with pytest.raises(UnitError):
        agent("iodine").in_tissue(get("blood"), -1.0)
