import numpy as np
import pytest
import xarray as xr

from phantomsim.report.window import difference_window, quantity_text, round_up, window_of


def array(values, dims, **attributes):
    return xr.DataArray(np.asarray(values), dims=dims, attrs=attributes)


def test_ct_numbers_get_the_soft_tissue_window_whatever_their_range():
    window = window_of([array([[-1000.0, 3000.0]], ("y", "x"), units="HU")])
    assert (window.low, window.high, window.colours) == (-160.0, 240.0, "gray")


def test_attenuation_gets_percentiles_of_all_arrays_together():
    arrays = [array([np.full(100, top)], ("y", "x"), units="1/m") for top in (10.0, 20.0)]
    window = window_of(arrays)
    assert (window.low, window.high) == (10.0, 20.0)


def test_projections_start_at_zero():
    window = window_of([array([[1.0, 2.0], [3.0, 4.0]], ("view", "column"), units="1")])
    assert window.low == 0.0
    assert window.high == pytest.approx(4.0, rel=1e-3)


def test_arrays_with_tissue_names_are_categorical():
    labels = array(np.uint8([[0, 2]]), ("y", "x"), tissues=["air", "fat", "bone"])
    assert window_of([labels]).categorical
    assert not window_of([array(np.uint16([[0, 2]]), ("y", "x"))]).categorical


@pytest.mark.parametrize("values", [[[0.0, 0.0]], [[np.nan, 5.0]], [[np.nan, np.nan]], [[7.0, 7.0]]])
@pytest.mark.parametrize("dims", [("y", "x"), ("view", "column")])
def test_every_window_has_a_width(values, dims):
    window = window_of([array(values, dims)])
    assert window.low < window.high


def test_complex_values_are_windowed_by_their_magnitude():
    window = window_of([array([[3 + 4j, 3 + 4j, 0j]], ("view", "column"))])
    assert window.high == pytest.approx(5.0)


def test_differences_are_symmetric_about_zero_and_end_at_a_round_number():
    window = difference_window([array([[-123.0, 20.0]], ("y", "x"), units="HU")])
    assert (window.low, window.high) == (-150.0, 150.0)


@pytest.mark.parametrize(("value", "rounded"), [(1.0, 1.0), (1.01, 1.5), (0.021, 0.03), (80.0, 100.0), (0.0, 1.0)])
def test_round_up_gives_the_next_number_of_the_series(value, rounded):
    assert round_up(value) == pytest.approx(rounded)


def test_a_quantity_is_named_with_its_unit_and_a_plain_number_without():
    assert quantity_text(array([0.0], "x", long_name="attenuation", units="1/m")) == "attenuation [m⁻¹]"
    assert quantity_text(array([0.0], "x", long_name="line integral", units="1")) == "line integral"
