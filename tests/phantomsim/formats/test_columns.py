import numpy as np
import pytest

from phantomsim.formats.columns import read_columns
from phantomsim.physics.errors import RecipeError, UnitError
from phantomsim.physics.xray.spectrum import measured_spectrum, tube_spectrum

NAMES = ("energy_kev", "fluence")


@pytest.mark.parametrize(
    "text", ["20,1\n30,2.5e3\n", "E [keV]; N\n20 ;1 # line\n\n30;2500", "20\t1\n30\t2500\n", "# x\n20 1\n30 2500"]
)
def test_columns_are_read_whatever_separates_them(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    energy, fluence = read_columns(str(tmp_path / "t.csv"), NAMES)
    np.testing.assert_array_equal(energy, [20, 30])
    np.testing.assert_array_equal(fluence, [1, 2500])


def test_a_spectrum_survives_its_file(tmp_path):
    tube = tube_spectrum(80, 0.2)
    np.savetxt(
        tmp_path / "tube.csv", np.stack([tube.energy, tube.fluence], axis=1), delimiter=",", header="keV,1/m2/mAs"
    )
    read = measured_spectrum(*read_columns(str(tmp_path / "tube.csv"), NAMES))
    assert read.half_value_layer == pytest.approx(tube.half_value_layer, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("20,1\n30\n", "line 2 .* 2 finite numbers"),
        ("20,1,4\n", "line 1 .* 2 finite numbers"),
        ("a,b\nc,d\n", "line 2"),
        ("20,nan\n30,1\n40,inf\n", "line 3"),
        ("", "holds no numbers"),
        ("keV,N\n", "holds no numbers"),
    ],
)
def test_bad_files_are_refused_by_line(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(RecipeError, match=message):
        read_columns(str(tmp_path / "t.csv"), NAMES)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(RecipeError, match="text"):
        read_columns(str(tmp_path / "t.csv"), NAMES)
    with pytest.raises(RecipeError, match="no file"):
        read_columns(str(tmp_path / "other.csv"), NAMES)


@pytest.mark.parametrize(
    ("energy", "fluence", "message"),
    [
        ([2e4, 3e4], [1, 1], "not in eV"),
        ([0.02, 0.03], [1, 1], "not in eV or MeV"),
        ([20, np.nan], [1, 1], "finite"),
        ([30, 20], [1, 1], "rise"),
        ([20, 30], [0, 0], "zero"),
        ([20, 30], [1, -1], "negative"),
        ([], [], "match|zero"),
    ],
)
def test_impossible_spectra_are_refused(energy, fluence, message):
    with pytest.raises(UnitError, match=message):
        measured_spectrum(energy, fluence)
