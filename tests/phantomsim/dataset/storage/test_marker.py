import pytest

from phantomsim.dataset.storage.marker import read_sealed, write_sealed
from phantomsim.physics.errors import IntegrityError


def test_every_flipped_bit_of_a_sealed_file_is_seen(tmp_path):
    write_sealed(tmp_path, "a.json", {"time": 1e-05, "é": [1, None, True]})
    whole = (tmp_path / "a.json").read_bytes()
    assert read_sealed(tmp_path, "a.json") == {"time": 1e-05, "é": [1, None, True]}
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "a.json").write_bytes(damaged)
        with pytest.raises(IntegrityError, match="is damaged"):
            read_sealed(tmp_path, "a.json")


def test_every_truncation_of_a_sealed_file_is_seen(tmp_path):
    write_sealed(tmp_path, "a.json", {"a": 1})
    whole = (tmp_path / "a.json").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "a.json").write_bytes(whole[:length])
        with pytest.raises(IntegrityError):
            read_sealed(tmp_path, "a.json")


@pytest.mark.parametrize("content", [b"[]", b"3", b'{"sha256": 1}', b"\xff"])
def test_other_json_is_no_sealed_file(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(IntegrityError):
        read_sealed(tmp_path, "a.json")


def test_no_file_is_no_marker(tmp_path):
    assert read_sealed(tmp_path, "a.json") is None
