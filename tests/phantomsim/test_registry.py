"""Kinds: known ones are imported when asked for, unknown ones named with the nearest, plug-ins taken."""

from importlib.metadata import EntryPoint

import pytest

from phantomsim import registry
from phantomsim.physics.errors import RecipeError
from phantomsim.registry import PHANTOMS, RECONSTRUCTORS, SCANNERS, Registry
from phantomsim.spec import Spec


@pytest.mark.parametrize("found", [PHANTOMS, SCANNERS, RECONSTRUCTORS], ids=lambda found: found.noun)
def test_every_kind_is_a_spec_with_that_kind_and_a_line_of_help(found):
    for kind in found.kinds():
        spec = found.get(kind)
        assert issubclass(spec, Spec)
        assert "kind" in spec.model_fields
        assert found.summary(kind)


def test_unknown_kinds_are_refused_with_the_nearest():
    kinds = Registry("phantom", {"head": "tests.kinds:Blobs", "thorax": "tests.kinds:Blobs"})
    with pytest.raises(RecipeError, match="unknown phantom kind 'thorx'; did you mean 'thorax'"):
        kinds.get("thorx")
    with pytest.raises(RecipeError, match="known kinds: head, thorax"):
        kinds.get("zzz")


def test_plug_ins_add_kinds_but_never_replace_ours(monkeypatch):
    points = [
        EntryPoint("mine", "tests.kinds:Inverse", "phantomsim.phantom"),
        EntryPoint("blobs", "tests.kinds:Inverse", "phantomsim.phantom"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    kinds = Registry("phantom", {"blobs": "tests.kinds:Blobs"})
    assert kinds.kinds() == ["blobs", "mine"]
    assert kinds.get("mine").__name__ == "Inverse"
    assert kinds.get("blobs").__name__ == "Blobs"


def test_a_kind_that_lacks_a_package_says_so_and_spoils_nothing_else():
    kinds = Registry("phantom", {"blobs": "tests.kinds:Blobs", "far": "no_such_package.phantom:Far"})
    with pytest.raises(RecipeError, match="the phantom 'far' needs no_such_package, which is not installed"):
        kinds.get("far")
    assert kinds.summary("far") == "the phantom 'far' needs no_such_package, which is not installed"
    assert list(kinds.available()) == ["blobs"]
