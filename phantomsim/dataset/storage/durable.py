"""Files that are whole or absent, whatever kills the program: temp file, fsync, rename, fsync of the folder."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phantomsim.physics.errors import ResourceError

PARTIAL = ".partial"
"""Folder of files being written; what a killed run leaves in it is swept by the next."""
LOCK = ".lock"

_OUT_OF_RESOURCES = {
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "disk quota used up",
    errno.EFBIG: "file larger than this process may write (ulimit -f)",
    errno.EACCES: "no permission to write",
    errno.EPERM: "no permission to write",
    errno.EROFS: "file system is read-only",
    errno.EMFILE: "too many open files (ulimit -n)",
}


@contextmanager
def resources(path: Path) -> Iterator[None]:
    """Turn an operating system that refuses (disk full, no permission) into a `ResourceError` of one line."""
    try:
        yield
    except OSError as error:
        if error.errno not in _OUT_OF_RESOURCES:
            raise
        raise ResourceError(
            f"{_OUT_OF_RESOURCES[error.errno]}: {path}; finished shards are kept, the same command goes on from there"
        ) from error


def write_file(root: Path, name: str, data: bytes | memoryview) -> None:
    """Write a file below a store's root so that it is there, whole and durable, or not at all.

    The new name is durable once its folder is synced too: `sync_folders`.

    Raises
    ------
    ResourceError
        If the disk is full or may not be written.
    """
    target, partial = root / name, root / PARTIAL / uuid.uuid4().hex
    with resources(target):
        try:
            for folder in (partial.parent, target.parent):
                folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def sync_folders(root: Path, names: list[str]) -> None:
    """Make renames durable: fsync every folder between the files and the root.

    Raises
    ------
    ResourceError
        If the disk is full or may not be written.
    """
    folders = {root / parent for name in names for parent in Path(name).parents}
    with resources(root):
        for folder in sorted(folders, key=lambda f: -len(f.parts)):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep a second run off a store, and sweep what a killed one left half-written.

    An advisory lock of the kernel's, which a killed process cannot leave behind. Network file systems without lock
    support (NFS mounted ``nolock``) see only runs on the same host.

    Raises
    ------
    ResourceError
        If another run holds the store, or it may not be written.
    """
    with resources(root):
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ResourceError(f"another run is writing {root}; wait for it or stop it") from error
        shutil.rmtree(root / PARTIAL, ignore_errors=True)
        yield
    finally:
        os.close(descriptor)
