"""Commands that make samples: plan, preview, generate, warmup."""

from __future__ import annotations

import os
import pkgutil
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer
from pydantic import ValidationError

from phantomsim.commands.output import columns, duration, progress, size, tell
from phantomsim.commands.pictures import picture_store
from phantomsim.dataset.recipe import Recipe
from phantomsim.dataset.recipe_job import job_of
from phantomsim.dataset.sample import make_sample
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key
from phantomsim.registry import PHANTOMS

if TYPE_CHECKING:
    from phantomsim.phantoms.spec import PhantomSpec

FEW = 64
"""Below so many samples, processes cost more than they save: one process works on threads."""

FAILED = 3
"""Exit status of a run in which some samples failed."""

STOPPED = 130
"""Exit status of a run that the user stopped, as shells have it."""


def plan(
    source: str,
    out: Path | None,
    workers: int | None,
    samples: int | None,
    shard: int | None,
    device: str,
    as_json: bool,
) -> None:
    """Measure a sample and say what the whole set will take.

    Raises
    ------
    ResourceError
        If the set will not fit the disk; what it takes is told before.
    """
    from phantomsim.dataset.storage.calibrate import calibrate, check_disk
    from phantomsim.physics.kernel import n_threads

    recipe = Recipe.load(source)
    job = job_of(recipe, samples, device)
    root = _root(recipe, out)
    calibration = calibrate(job, shard)
    n_workers = _workers(workers, device, job.samples)
    seconds = calibration.seconds * job.samples * n_threads() / max(n_workers, 1)
    layout = calibration.layout
    result: dict[str, Any] = {
        "store": str(root),
        "samples": job.samples,
        "shards": layout.n_shards(job.samples),
        "samples_per_shard": layout.shard,
        "bytes": calibration.disk_bytes(job.samples),
        "bytes_per_sample": {array.name: array.n_bytes for array in layout.arrays},
        "seconds_per_sample": calibration.seconds,
        "workers": n_workers,
        "seconds": seconds,
    }
    arrays = {f"  {a.name}": f"{a.dtype[1:]} {' x '.join(map(str, a.shape))}, {size(a.n_bytes)}" for a in layout.arrays}
    rows = {
        "store": root,
        "samples": f"{job.samples} in {result['shards']} shards of {layout.shard}",
        "one sample": f"{size(layout.sample_bytes)}, {size(calibration.stored_bytes)} on disk",
        **arrays,
        "disk": size(result["bytes"]),
        "time": f"{duration(seconds)} on {max(n_workers, 1)} workers ({duration(calibration.seconds)} a sample here)",
    }
    tell(result, as_json, columns(rows))
    check_disk(root, job.samples, calibration.stored_bytes)


def preview(source: str, out: Path | None, samples: int, sample: int | None, device: str, *, phantom: bool) -> None:
    """Make a few samples, the same bits as in the set, and a picture of them; or one phantom's portrait."""
    from phantomsim.report.preview import preview as write_preview

    kind = source in PHANTOMS.kinds() and not Path(source).exists()
    if phantom or kind:
        typer.echo(_portray(source, out, sample or 0, device, kind=kind))
        return
    recipe = Recipe.load(source)
    indices = list(range(samples)) if sample is None else [sample]
    made = []
    with progress("making", "samples") as update:
        for n, index in enumerate(indices):
            update(n, len(indices))
            made.append(make_sample(recipe, index, device))
        update(len(indices), len(indices))
    path = Path(f"{recipe.name}.png") if out is None else out
    typer.echo(write_preview(made, recipe.outline.pairs, path, indices=indices))


def _portray(source: str, out: Path | None, sample: int, device: str, *, kind: bool) -> Path:
    """Draw the phantom of a recipe's sample, or one of a kind with all its defaults, in every modality's contrast."""
    from phantomsim.report.portrait import portrait

    if kind:
        try:
            spec = PHANTOMS.get(source).model_validate({"kind": source})
        except ValidationError as error:
            fields = ", ".join(str(e["loc"][0]) for e in error.errors())
            raise RecipeError(f"a phantom {source!r} needs {fields}: preview a recipe of it with --phantom") from None
        name, key = source, Key(sample)
    else:
        recipe = Recipe.load(source)
        name, key = recipe.name, Key(recipe.seed).fold(sample)
        spec = recipe.draw(key.fold("recipe")).phantom
    drawn = cast("PhantomSpec", spec).phantom(key.fold("phantom")).to(device)
    return portrait(drawn, f"{name}, sample {sample}", Path(f"{name}-phantom.png") if out is None else out)


def generate(
    source: str,
    out: Path | None,
    workers: int | None,
    scheduler: str | None,
    samples: int | None,
    shard: int | None,
    device: str,
    allow_mixed: bool,
    retry_failed: bool,
    as_json: bool,
) -> None:
    """Make a data set, or what it still lacks.

    Raises
    ------
    typer.Exit
        With `FAILED` if some samples failed, with `STOPPED` if the user stopped the run.
    """
    from phantomsim.dataset.storage.run import RunReport, Workers, run

    recipe = Recipe.load(source)
    job = job_of(recipe, samples, device)
    root = _root(recipe, out)
    try:
        with progress(recipe.name, "shards") as update:

            def show(report: RunReport) -> None:
                update(report.found + report.made, report.shards)

            where = Workers(0 if scheduler else _workers(workers, device, job.samples), scheduler)
            report = run(
                root, job, where, shard=shard, allow_mixed=allow_mixed, retry_failed=retry_failed, progress=show
            )
    except KeyboardInterrupt:
        typer.echo(f"stopped; the same command goes on with {root}", err=True)
        raise typer.Exit(STOPPED) from None
    pictures = picture_store(root)
    result = {
        "store": str(report.root),
        **{name: str(path) for name, path in pictures.items()},
        "samples": report.samples,
        "failed": report.failed,
        "shards_made": report.made,
        "bytes_written": report.n_bytes,
        "seconds": report.seconds,
    }
    rows: dict[str, Any] = {"store": report.root, **pictures}
    made = f"{report.made_samples} samples in {duration(report.seconds)}, {size(report.n_bytes)}"
    rows["made"] = made if report.made else "nothing was missing"
    if report.failed:
        rows["failed"] = f"{report.failed} of {report.samples}; phantomsim status {root} says why"
    tell(result, as_json, columns(rows))
    if report.failed:
        raise typer.Exit(FAILED)


def warm_up() -> None:
    """Compile every kernel, so that no later run waits for it."""
    import phantomsim.physics
    from phantomsim.physics.kernel import REGISTRY

    for module in pkgutil.walk_packages(phantomsim.physics.__path__, "phantomsim.physics."):
        import_module(module.name)
    began = time.perf_counter()
    with progress("compiling", "kernels") as update:
        for n, kernel in enumerate(REGISTRY.values()):
            update(n, len(REGISTRY))
            kernel.compile()
        update(len(REGISTRY), len(REGISTRY))
    typer.echo(f"{len(REGISTRY)} kernels ready after {duration(time.perf_counter() - began)}")


def _root(recipe: Recipe, out: Path | None) -> Path:
    return (Path(f"{recipe.name}.zarr") if out is None else out).absolute()


def _workers(workers: int | None, device: str, samples: int) -> int:
    """Return the number of worker processes: by default one a core, none for a GPU or so few samples."""
    if workers is not None:
        return workers
    if device != "cpu" or samples < FEW:
        return 0
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
