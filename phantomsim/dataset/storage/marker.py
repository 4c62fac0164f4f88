"""Done-markers: the only truth about which shards exist and what is in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from phantomsim.dataset.storage.durable import sync_folders, write_file
from phantomsim.physics.errors import IntegrityError

FOLDER = "markers"
LAYOUT = f"{FOLDER}/layout.json"


@dataclass(frozen=True)
class Stored:
    """Size and SHA-256 of a file."""

    n_bytes: int
    sha256: str

    @classmethod
    def of(cls, data: bytes | memoryview) -> Stored:
        """Return those of the file that holds `data`."""
        return cls(len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class Marker:
    """Says that a shard is complete and durable.

    Parameters
    ----------
    shard, start, stop
        Number of the shard, and the range of samples in it.
    size
        Samples in a full shard.
    digest
        Hash of the recipe.
    layout
        Hash of the layout: with `stop`, what decides every zarr.json.
    environment
        Code, libraries, device and processor that made it.
    files
        Every file of the shard, by its path in the store.
    crc32c
        CRC-32C over the arrays of each sample, in the layout's order; None where the sample failed.
    statistics
        Moments of each sample, by array; None where the sample failed.
    failures
        Index, error and traceback of each sample that failed.
    generate_s, write_s
        Time that making and writing the samples took [s].
    written
        When, in UTC.
    """

    shard: int
    start: int
    stop: int
    size: int
    digest: str
    layout: str
    environment: Mapping[str, Any]
    files: Mapping[str, Stored]
    crc32c: tuple[int | None, ...]
    statistics: Mapping[str, list[Any]]
    failures: tuple[Mapping[str, Any], ...]
    generate_s: float
    write_s: float
    written: str

    @property
    def n_bytes(self) -> int:
        """Bytes of the shard on disk."""
        return sum(file.n_bytes for file in self.files.values())


def marker_name(shard: int) -> str:
    """Return the path of a shard's marker in its store."""
    return f"{FOLDER}/{shard:06d}.json"


def records_name(shard: int) -> str:
    """Return the path of the records of a shard's samples."""
    return f"samples/{shard:06d}.jsonl"


def write_sealed(root: Path, name: str, content: Mapping[str, Any]) -> None:
    """Write JSON with its own SHA-256, durably: a damaged one never reads as a good one."""
    write_file(root, name, _sealed(content))
    sync_folders(root, [name])


def read_sealed(root: Path, name: str) -> dict[str, Any] | None:
    """Return what `write_sealed` wrote, or None if there is no such file.

    Raises
    ------
    IntegrityError
        If the file is damaged.
    """
    try:
        data = (root / name).read_bytes()
    except FileNotFoundError:
        return None
    try:
        content: dict[str, Any] = json.loads(data)
        content.pop("sha256")
        whole = _sealed(content) == data
    except (ValueError, KeyError, AttributeError, TypeError):
        whole = False
    if not whole:
        raise IntegrityError(f"{root / name} is damaged; phantomsim verify --repair makes it again")
    return content


def _sealed(content: Mapping[str, Any]) -> bytes:
    seal = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return json.dumps({**content, "sha256": seal}, indent=1, sort_keys=True).encode()


def write_marker(root: Path, marker: Marker) -> None:
    """Declare a shard done; everything it names must be durable."""
    write_sealed(root, marker_name(marker.shard), asdict(marker))


def retract(root: Path, shard: int) -> None:
    """Declare a shard not done."""
    (root / marker_name(shard)).unlink(missing_ok=True)


def read_marker(root: Path, shard: int) -> Marker | None:
    """Return a shard's marker, or None if the shard is not done.

    Raises
    ------
    IntegrityError
        If the marker is damaged.
    """
    content = read_sealed(root, marker_name(shard))
    if content is None:
        return None
    content["files"] = {name: Stored(**file) for name, file in content["files"].items()}
    content |= {name: tuple(content[name]) for name in ("crc32c", "failures")}
    return Marker(**content)


def stands(root: Path, marker: Marker) -> bool:
    """Tell whether a shard's files are there in full length (`verify` reads them through)."""
    for name, file in marker.files.items():
        try:
            if (root / name).stat().st_size != file.n_bytes:
                return False
        except FileNotFoundError:
            return False
    return True


def read_records(root: Path, shard: int) -> list[dict[str, Any]]:
    """Return the records of a shard's samples, in order."""
    with (root / records_name(shard)).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
