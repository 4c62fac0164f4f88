import errno
import os

import pytest

from phantomsim.dataset.storage.durable import LOCK, PARTIAL, locked, resources, sync_folders, write_file
from phantomsim.physics.errors import ResourceError


def test_a_write_that_breaks_leaves_the_old_file_and_no_partial_one(tmp_path, monkeypatch):
    write_file(tmp_path, "a/b", b"old")
    sync_folders(tmp_path, ["a/b"])

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="no space left") as caught:
        write_file(tmp_path, "a/b", b"new")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "a/b").read_bytes() == b"old"
    assert not list((tmp_path / PARTIAL).iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS])
def test_what_the_system_refuses_is_a_resource_error(tmp_path, number):
    with pytest.raises(ResourceError), resources(tmp_path):
        raise OSError(number, os.strerror(number))


def test_other_errors_pass(tmp_path):
    with pytest.raises(FileNotFoundError), resources(tmp_path):
        (tmp_path / "none").read_bytes()


def test_a_store_has_one_run_at_a_time_and_the_lock_dies_with_its_owner(tmp_path):
    root = tmp_path / "a.zarr"
    with locked(root):
        (root / PARTIAL).mkdir()
        (root / PARTIAL / "left").write_bytes(b"over")
        with pytest.raises(ResourceError, match="another run"), locked(root):
            pass
    assert (root / LOCK).exists()
    with locked(root):
        assert not (root / PARTIAL).exists()
