"""Commands on a data set that is there: status, verify, inspect, report."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import typer

from phantomsim.commands.output import columns, progress, size, tell
from phantomsim.commands.pictures import picture_store
from phantomsim.dataset.job import Job
from phantomsim.dataset.recipe import Recipe
from phantomsim.dataset.recipe_job import job_of
from phantomsim.dataset.view import open_contents
from phantomsim.physics.errors import IntegrityError, RecipeError

DAMAGED: Final = 4
"""Exit status where data is damaged or missing."""

MOST_LINES: Final = 20
"""Damages or failures that are told one by one."""

DEEP: Final = 8
"""Samples that a deep verification makes again."""


def status(store: Path, as_json: bool) -> None:
    """Say how far a data set is."""
    contents = open_contents(_root(store))
    layout, samples = contents.store.layout, contents.store.samples
    failed = [record for record in contents.records if not record["valid"]]
    splits: dict[str, int] = dict.fromkeys(contents.attributes["splits"], 0)
    for record in contents.select(None):
        splits[record["split"]] += 1
    result = {
        "store": str(contents.store.root),
        "name": contents.attributes["name"],
        "digest": contents.store.digest,
        "samples": samples,
        "done": len(contents.records),
        "shards": layout.n_shards(samples),
        "shards_done": len(contents.markers),
        "splits": splits,
        "bytes": sum(marker.n_bytes for marker in contents.markers.values()),
        "failed": [{name: record[name] for name in ("index", "error", "repeat")} for record in failed],
    }
    rows = {
        "store": result["store"],
        "recipe": f"{result['name']} {contents.store.digest[:12]}",
        "samples": f"{result['done']} of {samples} done, in {result['shards_done']} of {result['shards']} shards",
        "splits": ", ".join(f"{name} {n}" for name, n in splits.items()),
        "disk": size(result["bytes"]),
        "failed": len(failed),
    }
    told = [f"  {r['index']}: {r['error'].splitlines()[0]}\n     again: {r['repeat']}" for r in failed[:MOST_LINES]]
    tell(result, as_json, "\n".join([columns(rows), *told]))


def verify(store: Path, deep: bool, repair: bool, recipe: Path | None, allow_mixed: bool, as_json: bool) -> None:
    """Read a data set through, and make again what is damaged.

    Raises
    ------
    typer.Exit
        With `DAMAGED` if something is wrong and stays so.
    """
    from phantomsim.dataset.storage.verify import repair as repair_store
    from phantomsim.dataset.storage.verify import verify as verify_store

    root = _root(store)
    job = _job(root, recipe) if deep or repair else None
    with progress("reading", "shards") as update:
        found = verify_store(root, job, deep=DEEP if deep else 0, progress=update)
    after = found
    if repair and job is not None and not found.sound:
        with progress("repairing", "shards") as update:
            repair_store(
                root,
                job,
                allow_mixed=allow_mixed,
                progress=lambda report: update(report.found + report.made, report.shards),
            )
        after = verify_store(root)
    result = {
        "store": str(root),
        "sound": after.sound,
        "shards": after.shards,
        "unfinished": list(found.unfinished),
        "damages": [{"file": d.file, "problem": d.problem, "shard": d.shard} for d in found.damages],
        "regenerated": found.regenerated,
        "repaired": not found.sound and after.sound,
    }
    lines = [f"{damage.file} {damage.problem}" for damage in found.damages]
    lines += [f"shard {shard} is not made yet" for shard in found.unfinished]
    told = lines[:MOST_LINES] + ([f"and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else [])
    verdict = "is sound" if found.sound else "was repaired and is sound" if after.sound else "is not sound"
    again = f", {found.regenerated} samples made again and compared" if deep else ""
    tell(result, as_json, "\n".join([*told, f"{root} {verdict}: {after.shards} shards read{again}"]))
    if not after.sound:
        raise typer.Exit(DAMAGED)


def inspect(store: Path, index: int, as_json: bool) -> None:
    """Show all that is known of a sample.

    Raises
    ------
    RecipeError
        If there is no such sample.
    IntegrityError
        If it has not been made yet.
    """
    contents = open_contents(_root(store))
    if not 0 <= index < contents.store.samples:
        raise RecipeError(f"sample = {index}: the set has samples 0 to {contents.store.samples - 1}")
    shard = index // contents.store.layout.shard
    record = next((record for record in contents.records if record["index"] == index), None)
    if record is None:
        raise IntegrityError(f"sample {index} is not made yet; phantomsim generate goes on with this set")
    marker = contents.markers[shard]
    files = {name: stored.sha256 for name, stored in marker.files.items()}
    result: dict[str, Any] = {**record, "shard": shard, "shard_sha256": files, "environment": dict(marker.environment)}
    rows: dict[str, Any] = {
        "sample": f"{index}, {'valid' if record['valid'] else 'failed'}",
        "key": " / ".join(map(str, record["key"])),
        "subject": f"{record['subject']}, split {record['split']}",
        "shard": shard,
    }
    rows |= {name: record[name] for name in ("error", "repeat") if name in record}
    rows |= {f"drawn {path}": json.dumps(value) for path, value in record.get("parameters", {}).items()}
    rows |= {
        f"{table}[{i}]": json.dumps(row)
        for table, entries in record.get("truths", {}).items()
        for i, row in enumerate(entries)
    }
    rows |= {f"crc32c {name}": value for name, value in record.get("crc32c", {}).items()}
    tell(result, as_json, columns(rows))


def report(store: Path) -> None:
    """Make the pictures of a data set again."""
    for path in picture_store(_root(store)).values():
        typer.echo(path)


def _root(store: Path) -> Path:
    """Return the folder of a store given by its path, or by the name of the recipe that was generated here."""
    named = Path(f"{store}.zarr")
    return (named if not store.exists() and named.exists() else store).absolute()


def _job(root: Path, recipe: Path | None) -> Job:
    """Return the job that made a store, from the recipe in it: from whichever copy has the recorded hash.

    Raises
    ------
    IntegrityError
        If no copy is whole.
    """
    digest, samples = _recorded(root)
    if recipe is not None:
        return job_of(Recipe.load(recipe), samples)
    for text in _copies(root):
        with suppress(RecipeError):
            found = Recipe.from_text(text)
            if digest in (None, found.digest):
                return job_of(found, samples)
    raise IntegrityError(f"{root} holds no whole copy of its recipe; give it with --recipe")


def _recorded(root: Path) -> tuple[str | None, int | None]:
    """Return digest and number of samples of a store, None where its layout is lost."""
    from phantomsim.dataset.storage.store import open_store

    try:
        store = open_store(root)
    except IntegrityError:
        return None, None
    return (None, None) if store is None else (store.digest, store.samples)


def _copies(root: Path) -> list[str]:
    copies = []
    with suppress(OSError, UnicodeDecodeError):
        copies.append((root / "recipe.toml").read_text(encoding="utf-8"))
    with suppress(OSError, ValueError, KeyError, TypeError):
        copies.append(json.loads((root / "zarr.json").read_bytes())["attributes"]["recipe"])
    return copies
