import numpy as np

from phantomsim.report.distributions import distribution_figure


def test_each_parameter_that_varies_gets_a_panel():
    drawn = {"kvp": [100, 120, 100], "fixed": [1.0, 1.0], "tissue": ["liver", "fat"], "size": [1.0, 2.5, 3.5]}
    figure = distribution_figure(drawn)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["kvp", "tissue", "size"]


def test_nothing_that_varies_gives_no_figure():
    assert distribution_figure({"fixed": [1, 1]}) is None


def test_bars_count_every_value():
    (axes,) = distribution_figure({"kvp": [100, 120, 100]}).axes
    assert [bar.get_height() for bar in axes.patches] == [2, 1]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["100", "120"]


def test_a_histogram_holds_every_draw_and_is_logarithmic_over_decades():
    values = np.geomspace(1e-3, 1.0, 200).tolist()
    (axes,) = distribution_figure({"exposure": values}).axes
    assert sum(bar.get_height() for bar in axes.patches) == 200
    assert axes.get_xscale() == "log"
    assert distribution_figure({"angle": [-2.0, 0.5, 3.1]}).axes[0].get_xscale() == "linear"
