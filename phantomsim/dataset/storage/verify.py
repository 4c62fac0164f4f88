"""Find every damaged byte of a store, and make exactly the damaged parts again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from phantomsim.dataset.job import Job
from phantomsim.dataset.storage.calibrate import calibrate
from phantomsim.dataset.storage.durable import PARTIAL, locked
from phantomsim.dataset.storage.marker import (
    FOLDER,
    LAYOUT,
    Marker,
    Stored,
    marker_name,
    read_marker,
    read_records,
    records_name,
    retract,
)
from phantomsim.dataset.storage.run import HERE, RunReport, Workers, run
from phantomsim.dataset.storage.shard import attempt, summarise
from phantomsim.dataset.storage.store import Store, open_store, write_store
from phantomsim.physics.errors import IntegrityError


@dataclass(frozen=True)
class Damage:
    """One thing that is wrong.

    Parameters
    ----------
    file
        Path in the store.
    problem
        What is wrong with it, in words.
    shard
        The shard that has to be made again, or None if none has.
    """

    file: str
    problem: str
    shard: int | None = None


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Parameters
    ----------
    damages
        Everything that is wrong.
    unfinished
        Shards that have not been made yet, or whose marker is gone.
    shards
        Number of shards of the set.
    regenerated
        Samples that were made again and compared.
    """

    damages: tuple[Damage, ...]
    unfinished: tuple[int, ...]
    shards: int
    regenerated: int = 0

    @property
    def sound(self) -> bool:
        """Whether everything that should be there is there, to the byte."""
        return not self.damages and not self.unfinished


def verify(
    root: Path, job: Job | None = None, *, deep: int = 0, progress: Callable[[int, int], None] | None = None
) -> Verification:
    """Read a store through and compare every file with its recorded hash.

    Parameters
    ----------
    root
        Folder of the store.
    job
        What made it; needed for `deep` alone.
    deep
        How many samples to make again and compare, spread over the set.
    progress
        Called with the number of shards read and of all shards.

    Raises
    ------
    IntegrityError
        If the folder holds no data set at all.
    """
    root = Path(root).absolute()
    store, damages = _open(root)
    if store is None:
        return Verification(damages, (), 0)
    found = [*damages, *(_metadata_damage(root, name) for name in store.damaged_metadata())]
    shards, unfinished, known = store.layout.n_shards(store.samples), [], {LAYOUT, *store.metadata}
    for shard in range(shards):
        known |= {marker_name(shard), records_name(shard), *_shard_files(store, shard)}
        try:
            marker = read_marker(root, shard)
        except IntegrityError:
            found.append(Damage(marker_name(shard), "is damaged", shard))
            continue
        if marker is None:
            unfinished.append(shard)
        else:
            found += _shard_damages(store, marker, shard)
        if progress:
            progress(shard + 1, shards)
    found += [Damage(name, "does not belong to the set") for name in _files(root) if name not in known]
    regenerated = 0
    if deep and job is not None:
        damaged = {*unfinished, *(d.shard for d in found)}
        chosen = [i for i in _spread(store.samples, deep) if i // store.layout.shard not in damaged]
        found += [d for i in chosen for d in _deep(store, job, i)]
        regenerated = len(chosen)
    return Verification(tuple(found), tuple(unfinished), shards, regenerated)


def repair(
    root: Path,
    job: Job,
    workers: Workers = HERE,
    *,
    allow_mixed: bool = False,
    progress: Callable[[RunReport], None] | None = None,
) -> Verification:
    """Make exactly what is damaged again, and check that it has the recorded bytes.

    Shards without a marker count as damaged. Files that do not belong to the set are removed.

    Parameters
    ----------
    root
        Folder of the store.
    job
        What made it.
    workers
        Where to make it again.
    allow_mixed
        Repair with other code, libraries, device or processor; the bytes may then differ in the last digits.
    progress
        As in `run`.

    Returns
    -------
        What was wrong before.

    Raises
    ------
    IntegrityError
        If the store belongs to another recipe, or a shard comes out with other bytes than its marker tells.
    ResourceError
        If disk or memory run out; repair again to go on.
    """
    root = Path(root).absolute()
    before = verify(root)
    if before.sound:
        return before
    with locked(root):
        store = _mend_metadata(root, job)
        if not before.shards:  # without a layout nothing else could be judged
            after = verify(root)
            before = replace(after, damages=before.damages + after.damages)
        markers = {d.shard: m for d in before.damages if d.shard is not None and (m := _marker(root, d.shard))}
        for damage in before.damages:
            if damage.shard is not None:
                retract(root, damage.shard)
            elif damage.file not in {LAYOUT, *store.metadata}:
                _remove(root / damage.file)
        for shard in {*before.unfinished, *(d.shard for d in before.damages if d.shard is not None)}:
            for name in (records_name(shard), *_shard_files(store, shard)):
                if not (root / name).is_file():
                    _remove(root / name)
    run(root, job, workers, allow_mixed=allow_mixed, progress=progress)
    for shard, old in markers.items():
        new = _marker(root, shard)
        if not allow_mixed and new is not None and old.layout == new.layout and old.stop == new.stop:
            changed = [name for name in old.files if old.files[name] != new.files.get(name)]
            if changed:
                raise IntegrityError(
                    f"shard {shard} was made again, but {changed[0]} has other bytes than its marker told; "
                    "the recipe's inputs or this machine differ from those that made the set"
                )
    return before


def _open(root: Path) -> tuple[Store | None, tuple[Damage, ...]]:
    try:
        store = open_store(root)
    except IntegrityError:
        return None, (Damage(LAYOUT, "is damaged"),)
    if store is None:
        if not (root / "zarr.json").exists() and not (root / FOLDER).is_dir():
            raise IntegrityError(f"{root} holds no data set")
        return None, (Damage(LAYOUT, "is missing"),)
    return store, ()


def _metadata_damage(root: Path, name: str) -> Damage:
    return Damage(name, "differs from its recorded hash" if (root / name).is_file() else "is missing")


def _shard_files(store: Store, shard: int) -> list[str]:
    return [store.array_file(array, shard) for array in store.layout.arrays]


def _shard_damages(store: Store, marker: Marker, shard: int) -> list[Damage]:
    name = marker_name(shard)
    if marker.digest != store.digest:
        return [Damage(name, f"belongs to recipe {marker.digest[:12]}", shard)]
    if (marker.shard, marker.start, marker.stop, marker.layout) != (shard, *store.span(shard), store.layout.digest):
        return [Damage(name, "speaks of another shard or layout", shard)]
    damages = []
    for file in (records_name(shard), *_shard_files(store, shard)):
        recorded = marker.files.get(file)
        try:
            found = Stored.of((store.root / file).read_bytes())
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            damages.append(Damage(file, "is missing", shard))
            continue
        if recorded is None or found != recorded:
            length = recorded is None or found.n_bytes != recorded.n_bytes
            problem = "has another length than recorded" if length else "differs from its recorded hash"
            damages.append(Damage(file, problem, shard))
    return damages


def _files(root: Path) -> list[str]:
    """Return every file below the root; plain files beside zarr.json (a report, a preview) are the user's."""
    names = [str(file.relative_to(root)) for file in sorted(root.rglob("*")) if not file.is_dir()]
    return [name for name in names if "/" in name and not name.startswith(f"{PARTIAL}/")]


def _spread(samples: int, n: int) -> list[int]:
    n = min(n, samples)
    return sorted({(2 * i + 1) * samples // (2 * n) for i in range(n)})


def _deep(store: Store, job: Job, index: int) -> list[Damage]:
    shard = index // store.layout.shard
    record = read_records(store.root, shard)[index % store.layout.shard]
    again: Mapping[str, Any] = json.loads(summarise(attempt(job, store.layout, index), store.layout).line)
    changed = sorted(key for key in {*record, *again} if record.get(key) != again.get(key))
    if not changed:
        return []
    return [Damage(records_name(shard), f"sample {index} comes out differently: {', '.join(changed)}", shard)]


def _mend_metadata(root: Path, job: Job) -> Store:
    store, _ = _open(root)
    if store is not None:
        if store.digest != job.digest:
            raise IntegrityError(
                f"{root} was made from recipe {store.digest[:12]}, this is {job.digest[:12]}; "
                "repair it with the recipe.toml that lies in it"
            )
        return write_store(root, job, store.layout, store.samples)
    markers = [m for path in sorted((root / FOLDER).glob("[0-9]*.json")) if (m := _marker(root, int(path.stem)))]
    if not markers:
        raise IntegrityError(f"{root} has lost its layout and all markers; nothing in it can be trusted, delete it")
    layout = calibrate(job, markers[0].size).layout
    if layout.digest != markers[0].layout or markers[0].digest != job.digest:
        raise IntegrityError(f"{root} was made from another recipe or by another version; the layout cannot be mended")
    return write_store(root, job, layout, max(job.samples, *(m.stop for m in markers)))


def _marker(root: Path, shard: int) -> Marker | None:
    try:
        return read_marker(root, shard)
    except IntegrityError:
        return None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
