import numpy as np
import xarray as xr

from phantomsim.report.palette import common_labels, palette_of


def labels(values, tissues):
    return xr.DataArray(np.asarray(values, dtype=np.uint8), dims=("y", "x"), attrs={"tissues": tissues})


def test_labels_that_do_not_occur_are_not_in_the_legend():
    palette = palette_of([labels([[0, 0, 2]], ["air", "fat", "bone"])])
    assert [name for name, _ in palette.names] == ["air", "bone"]


def test_the_smallest_of_many_labels_share_one_entry():
    values = np.repeat(np.arange(14), np.arange(14, 0, -1))[None]
    palette = palette_of([labels(values, [f"tissue_{i}" for i in range(14)])])
    assert len(palette.names) == 10
    assert palette.names[-1][0] == "5 others"
    assert palette.names[1][0] == "tissue 1"
    assert len({colour for _, colour in palette.names}) == 10


def test_a_tissue_keeps_its_colour_where_samples_number_their_tissues_differently():
    one, two = common_labels(
        [labels([[0, 1, 2]], ["air", "fat", "bone"]), labels([[0, 1, 2]], ["air", "bone", "cyst"])]
    )
    assert one.attrs["tissues"] == two.attrs["tissues"] == ["air", "fat", "bone", "cyst"]
    assert two.values.tolist() == [[0, 2, 3]]


def test_a_label_without_a_name_keeps_its_number():
    (only,) = common_labels([labels([[0, 2]], ["air"])])
    assert [name for name, _ in palette_of([only]).names] == ["air", "label 2"]


def test_contrast_agent_does_not_make_another_tissue():
    one, two = common_labels(
        [labels([[0, 1]], ["air", "liver+I@1.2"]), labels([[0, 1, 2]], ["air", "liver", "liver+I@3"])]
    )
    assert two.attrs["tissues"] == ["air", "liver"]
    assert two.values.tolist() == [[0, 1, 1]]


def test_a_small_lesion_is_named_all_the_same():
    values = np.repeat(np.arange(14), np.arange(14, 0, -1))[None]
    palette = palette_of([labels(values, [f"tissue_{i}" for i in range(13)] + ["tumor"])], first={"tumor", "cyst"})
    assert "tumor" in [name for name, _ in palette.names]
    assert len(palette.names) == 10
