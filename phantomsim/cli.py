"""The command line: options and exit codes. What a command does is in `phantomsim.commands`, loaded when it runs.

Exit codes: 0 all right, 2 a wrong recipe or option, 3 some samples failed, 4 data damaged or missing, 5 too little
disk, memory or permission, or no such device.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Annotated, Final

import typer

from phantomsim.physics.errors import DeviceError, IntegrityError, PhantomsimError, ResourceError

app = typer.Typer(
    help="Paired training data for tomographic imaging, made from physics at scale.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Source = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe's file, or the name of a shipped one.")]
Store = Annotated[Path, typer.Argument(metavar="STORE", help="The data set's folder, NAME.zarr, or NAME.")]
Out = Annotated[Path | None, typer.Option("--out", help="Where the data set goes; NAME.zarr here by default.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Device = Annotated[str, typer.Option(help="Where to compute: cpu, cuda or cuda:N.")]
Samples = Annotated[int | None, typer.Option(min=1, help="How many samples, instead of the recipe's number.")]
Workers = Annotated[
    int | None, typer.Option(min=0, help="Worker processes; 0 for none. Default: one a core, none for few samples.")
]
ShardSize = Annotated[int | None, typer.Option(min=1, help="Samples in a shard of a new set.")]
AllowMixed = Annotated[bool, typer.Option("--allow-mixed", help="Go on with other code, libraries or processor.")]

_RESOURCES: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOMEM}


def main() -> None:
    """Run the command line; a user's mistake ends in a few lines, a bug in a traceback."""
    try:
        app()
    except PhantomsimError as error:
        codes = {IntegrityError: 4, ResourceError: 5, DeviceError: 5}
        _end(str(error), next((code for kind, code in codes.items() if isinstance(error, kind)), 2))
    except MemoryError:
        _end("out of memory; ask for fewer workers or smaller grids", 5)
    except OSError as error:
        if error.errno not in _RESOURCES:
            raise
        _end(f"{error.filename or 'a file'}: {error.strerror}", 5)


def _end(message: str, code: int) -> None:
    typer.echo(f"error: {message}", err=True)
    raise SystemExit(code)


@app.command("list")
def list_kinds(json: Json = False) -> None:
    """Show phantoms, scanners, reconstructors and shipped recipes."""
    from phantomsim.commands import catalogue

    catalogue.list_kinds(json)


@app.command()
def init(
    name: Annotated[str, typer.Argument(help="Name of a shipped recipe.")] = "ct-low-dose",
    out: Annotated[Path | None, typer.Option("--out", help="Where the copy goes; NAME.toml here by default.")] = None,
) -> None:
    """Copy a shipped recipe here, to be edited."""
    from phantomsim.commands import catalogue

    catalogue.copy_recipe(name, out)


@app.command()
def validate(recipe: Source, json: Json = False) -> None:
    """Check a recipe; writes nothing."""
    from phantomsim.commands import catalogue

    catalogue.validate(recipe, json)


@app.command()
def schema() -> None:
    """Show the JSON Schema of recipes, for editors."""
    from phantomsim.commands import catalogue

    catalogue.schema()


@app.command()
def plan(
    recipe: Source,
    out: Out = None,
    workers: Workers = None,
    samples: Samples = None,
    shard_size: ShardSize = None,
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Say what a data set will take: shards, bytes, time. Makes two samples, writes nothing."""
    from phantomsim.commands import making

    making.plan(recipe, out, workers, samples, shard_size, device, json)


@app.command()
def preview(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe, or a kind of phantom such as head.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where the PNG goes; NAME.png here by default.")] = None,
    samples: Annotated[int, typer.Option(min=1, max=64, help="How many samples to show, from the first.")] = 4,
    sample: Annotated[int | None, typer.Option(min=0, help="The one sample to show.")] = None,
    phantom: Annotated[
        bool, typer.Option("--phantom", help="Show the recipe's phantom as each modality does.")
    ] = False,
    device: Device = "cpu",
) -> None:
    """Make a picture of a few samples, with the same bits as in the data set, or of a phantom."""
    from phantomsim.commands import making

    making.preview(recipe, out, samples, sample, device, phantom=phantom)


@app.command()
def generate(
    recipe: Source,
    out: Out = None,
    workers: Workers = None,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="A running dask scheduler.")] = None,
    samples: Samples = None,
    shard_size: ShardSize = None,
    device: Device = "cpu",
    allow_mixed: AllowMixed = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Make failed samples again.")] = False,
    json: Json = False,
) -> None:
    """Make a data set. After a stop or a crash the same command goes on."""
    from phantomsim.commands import making

    making.generate(
        recipe, out, workers, scheduler, samples, shard_size, device, allow_mixed, retry_failed, as_json=json
    )


@app.command()
def status(store: Store, json: Json = False) -> None:
    """Say how far a data set is, and which samples failed."""
    from phantomsim.commands import storing

    storing.status(store, json)


@app.command()
def verify(
    store: Store,
    deep: Annotated[bool, typer.Option("--deep", help="Also make some samples again and compare.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Make what is damaged again.")] = False,
    recipe: Annotated[Path | None, typer.Option(help="The recipe, where the set has lost it.")] = None,
    allow_mixed: AllowMixed = False,
    json: Json = False,
) -> None:
    """Read a data set through and compare every file with its hash."""
    from phantomsim.commands import storing

    storing.verify(store, deep, repair, recipe, allow_mixed, json)


@app.command()
def inspect(store: Store, sample: Annotated[int, typer.Argument(min=0)], json: Json = False) -> None:
    """Show every drawn parameter of a sample, its key, truths and hashes."""
    from phantomsim.commands import storing

    storing.inspect(store, sample, json)


@app.command()
def report(store: Store) -> None:
    """Write the preview and the HTML report of a data set again."""
    from phantomsim.commands import storing

    storing.report(store)


@app.command()
def warmup() -> None:
    """Compile every kernel now, so that no run waits for it."""
    from phantomsim.commands import making

    making.warm_up()
