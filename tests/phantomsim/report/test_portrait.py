"""A phantom's portrait: what is shown is where the body is, in the units of each modality."""

import pytest

from phantomsim.phantoms.scene import Part, compose
from phantomsim.physics.shapes import cylinder, ellipsoid
from phantomsim.report.portrait import CONTRASTS, portrait_figure
from phantomsim.tissues import get

OFF = compose(
    get("air"),
    [
        Part(ellipsoid((0.1, -0.05, 0.02), (0.03, 0.05, 0.08)), get("liver"), "liver"),
        Part(cylinder((0.1, -0.05, 0.02), (0.01, 0.01, 0.01)), get("cortical_bone"), "bone"),
    ],
)


def test_a_row_for_each_plane_and_a_column_for_each_modality():
    figure = portrait_figure(OFF, "liver")
    pictures = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(pictures) == 3 * len(CONTRASTS)
    speed = pictures[4].get_array()
    # the axial plane z = 0.1: the middle is bone, and a liver of its own sound speed lies around it
    row = speed[speed.shape[0] // 2]
    assert row[len(row) // 2] == pytest.approx(get("cortical_bone").acoustic.sound_speed, rel=1e-3)
    assert row[len(row) // 4] == pytest.approx(get("liver").acoustic.sound_speed, rel=1e-3)
