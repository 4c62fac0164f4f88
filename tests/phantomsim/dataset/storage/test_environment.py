from phantomsim.dataset.storage.environment import difference, environment


def test_environment_names_what_decides_the_bits():
    here = environment("cpu")
    assert here["backend"] == "cpu"
    assert {"numpy", "numba", "zarr"} <= here["libraries"].keys()
    assert here["cpu"]
    assert here["cpu_features"]
    assert here["code"]


def test_difference_says_what_changed():
    here = dict(environment("cpu"))
    assert difference(here, here) == ""
    assert difference(here, here | {"cpu": "old"}) == f"cpu (old there, {here['cpu']} here)"
    assert difference(here, here | {"libraries": {}}) == "libraries"
