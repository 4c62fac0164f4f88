import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from phantomsim.report.panel import draw, outline_lesions, plane
from phantomsim.report.window import Window


@pytest.fixture
def axes():
    return Figure().add_subplot()


def test_axial_pictures_are_radiological_left_at_the_right_and_back_below_in_mm(axes, samples):
    picture = plane(samples[0].arrays["image/low"])
    draw(axes, picture, Window(-160, 240, "gray"))
    assert axes.get_xlim() == pytest.approx((-48, 48))  # LPS: x grows to the patient's left
    assert axes.get_ylim() == pytest.approx((48, -48))  # y grows to the back, downward
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x [mm]", "y [mm]")
    assert axes.get_aspect() == 1


def test_sinograms_run_down_in_degrees_and_across_in_mm(axes, samples):
    picture = plane(samples[0].arrays["take/low/line_integral"])
    draw(axes, picture, Window(0, 1, "magma"))
    assert picture.dims == ("view", "column")
    assert axes.get_ylim() == pytest.approx((352.5, -7.5))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("column [mm]", "view [°]")


def test_volumes_are_shown_by_their_middle_slice():
    volume = xr.DataArray(
        np.arange(5)[:, None, None] * np.ones((5, 2, 2)), dims=("z", "y", "x"), coords={"z": np.arange(5)}
    )
    assert plane(volume)["z"] == 2
    assert (plane(volume) == 2).all()


def test_complex_pictures_show_the_magnitude_and_keep_their_unit():
    picture = plane(xr.DataArray(np.full((2, 2), 3 - 4j), dims=("y", "x"), attrs={"units": "T"}))
    assert (picture == 5).all()
    assert picture.attrs["units"] == "T"


def test_arrays_without_coordinates_are_shown_by_index(axes):
    draw(axes, xr.DataArray(np.zeros((3, 4)), dims=("a", "b")), Window(0, 1, "gray"))
    assert axes.get_xlim() == (-0.5, 3.5)
    assert axes.get_xlabel() == "b"


def test_a_lesion_is_circled_where_it_cuts_the_plane(axes):
    lesion = {"centre_mm": [3.0, 10.0, -20.0], "diameter_mm": 10.0}
    outline_lesions(axes, [lesion, {"tissue": "no geometry"}, lesion | {"centre_mm": [6.0, 0.0, 0.0]}], z=0.0)
    (circle,) = axes.patches
    assert circle.center == (-20.0, 10.0)
    assert circle.radius == pytest.approx(4.0 + 1.5)  # a chord of a 3-4-5 triangle, and the margin
