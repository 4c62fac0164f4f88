"""The rooms of the house: imports go down only, and never sideways between rooms that stand side by side."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the top. Rooms of one floor never import each other; modules of one room do.
FLOORS: list[list[set[str]]] = [
    [{"phantomsim.cli", "phantomsim.commands"}],
    [{"phantomsim.report"}, {"phantomsim.quality"}],
    [{"phantomsim.dataset"}],
    [{"phantomsim.scanners"}, {"phantomsim.recon"}],
    [{"phantomsim.phantoms"}],
    [{"phantomsim.formats", "phantomsim.tissues"}],
    [{f"phantomsim.{name}" for name in ("registry", "spec", "units", "geometry", "labelled")}],
    [{f"phantomsim.physics.{name}"} for name in ("xray", "mr", "pet", "acoustic")],
    [{"phantomsim.physics.photons"}],
    [
        {
            f"phantomsim.physics.{name}"
            for name in (
                *("operator", "fourier", "crossings", "overlaps", "voxels", "inside", "random_fields", "motion"),
                *("kinetics", "flow", "solvers"),
                *("surfaces", "shapes", "shape_relations", "shape_transforms", "shape_images", "canonical_transforms"),
            )
        }
    ],
    [
        {
            f"phantomsim.physics.{name}"
            for name in (
                *("rng", "sampling", "elementary", "lanes", "simd"),
                *("kernel", "grid", "array", "constants", "errors"),
            )
        }
    ],
    [{"phantomsim"}],
]
ROOMS = {
    prefix: (floor, room) for floor, rooms in enumerate(FLOORS) for room, names in enumerate(rooms) for prefix in names
}

FILES = {
    ("phantomsim." if folder == "physics" else "")
    + ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("physics", "phantomsim")
    for path in (ROOT / folder).rglob("*.py")
    if not path.is_relative_to(ROOT / "phantomsim/physics")
}


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, anywhere in it; ``from a import b`` is a.b where that is a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in FILES else str(node.module)


def room(module: str) -> tuple[int, int]:
    """Return floor and room of a module."""
    parts = module.split(".")
    for n in range(len(parts), 0, -1):
        if (found := ".".join(parts[:n])) in ROOMS:
            return ROOMS[found]
    raise KeyError(module)


@pytest.mark.parametrize("module", [name for name in FILES if name not in ("phantomsim", "phantomsim.physics")])
def test_every_module_has_a_room(module):
    assert room(module) != ROOMS["phantomsim"], f"say in FLOORS where {module} belongs"


@pytest.mark.parametrize("module", FILES)
def test_imports_go_down_only(module):
    floor, own = room(module)
    for other in imports(FILES[module]):
        if other.split(".")[0] == "phantomsim" and other != "phantomsim.physics":
            there, beside = room(other)
            assert there > floor or (there, beside) == (floor, own), f"{module} imports {other}"


@pytest.mark.parametrize("module", [name for name in FILES if name.startswith("phantomsim.physics")])
def test_physics_knows_neither_labels_nor_files(module):
    forbidden = {"xarray", "dask", "distributed", "zarr", "pydantic", "h5py", "nibabel", "pydicom", "typer"}
    assert not forbidden & {other.split(".")[0] for other in imports(FILES[module])}


@pytest.mark.parametrize("module", FILES)
def test_cupy_is_imported_in_array_alone(module):
    found = any(other.split(".")[0] == "cupy" for other in imports(FILES[module]))
    assert not found or module == "phantomsim.physics.array"
