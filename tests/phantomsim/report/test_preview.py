from dataclasses import replace
from struct import unpack
from types import SimpleNamespace

import pytest

from phantomsim.report.columns import columns_of
from phantomsim.report.preview import preview, row_text


def size(path):
    """Width and height in the header of a PNG."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return unpack(">II", head[16:24])


def test_preview_writes_a_png_whose_size_follows_from_rows_and_columns(samples, pairs, tmp_path):
    path = preview(samples[:2], pairs, tmp_path / "preview.png", indices=[4, 17], dpi=80)
    assert size(path) == (int((6 * 2.0 + 0.5) * 80), int((2 * 1.78 + 1.05) * 80))


def test_the_columns_are_input_target_difference_and_the_extras_that_are_pictures(samples, pairs):
    titles = [column.title for column in columns_of(samples, pairs)]
    assert titles[:3] == ["input: image/low", "target: image/full", "input − target"]
    assert titles[3:] == ["take/low/line_integral", "truth/hu", "phantom/labels"]


def test_the_difference_is_input_minus_target(samples, pairs):
    difference = columns_of(samples, pairs)[2].pictures[0]
    expected = samples[0].arrays["image/low"][0] - samples[0].arrays["image/full"][0]
    assert abs(difference - expected).max() < 1e-3
    assert difference.attrs["units"] == "HU"


def test_a_target_in_another_unit_has_no_difference(samples, pairs):
    samples[0].arrays["image/full"].attrs["units"] = "1/m"
    assert "input − target" not in [column.title for column in columns_of(samples[:1], pairs)]


def test_a_pair_of_projections_and_no_pair_at_all_can_be_shown(samples, tmp_path):
    pair = SimpleNamespace(input="take.low", target="truth.hu", extra=())
    assert [column.title for column in columns_of(samples, [pair])] == [
        "input: take/low/line_integral",
        "target: truth/hu",
    ]
    assert len(columns_of(samples, [])) == 5


def test_samples_without_lesions_or_with_an_array_missing_are_still_drawn(samples, pairs, tmp_path):
    bare = {name: array for name, array in samples[1].arrays.items() if name != "image/full"}
    odd = [samples[0], replace(samples[1], arrays=bare, truths={}), replace(samples[2], parameters={})]
    assert preview(odd, pairs, tmp_path / "odd.png", dpi=50).stat().st_size > 10_000


def test_the_same_samples_give_the_same_file(samples, pairs, tmp_path):
    one, two = (preview(samples[:1], pairs, tmp_path / name, dpi=50) for name in ("one.png", "two.png"))
    assert one.read_bytes() == two.read_bytes()


def test_nothing_to_show_is_an_error_that_says_so(samples, tmp_path):
    with pytest.raises(ValueError, match="got 0 and 0"):
        preview([], [], tmp_path / "none.png")
    with pytest.raises(ValueError, match="nothing to preview"):
        columns_of(samples, [SimpleNamespace(input="image.x", target="image.y", extra=())])


def test_a_row_names_the_sample_and_its_tube_and_exposure():
    parameters = {"take.low.exposure": 0.04321, "scan.ct.tube.kvp": 120, "phantom.size": 3.0, "scan.b.tube.kvp": 120}
    assert row_text(17, parameters) == "sample 17\n120 kV, exposure 0.0432"
    assert row_text(3, {}) == "sample 3"
