"""What starts a program must be light: told by the modules that get loaded, not by a clock."""

import subprocess
import sys

import pytest

HEAVY = (
    *("numba", "llvmlite", "dask", "distributed", "xarray", "zarr", "h5py", "pydantic", "scipy", "matplotlib"),
    *("jinja2", "xraylib", "spekpy", "nibabel", "pydicom", "rich", "torch", "cupy"),
)


@pytest.mark.parametrize(
    ("code", "also"),
    [
        ("import phantomsim", ("numpy", "typer")),
        ("import phantomsim.cli", ("numpy",)),
        (
            "import sys; sys.argv = ['phantomsim', '--help']\n"
            "from phantomsim.cli import main\n"
            "try: main()\n"
            "except SystemExit as end: assert not end.code",
            ("numpy",),
        ),
        ("from phantomsim.physics.rng import Key; Key(1).fold('a').words", ()),
    ],
    ids=["phantomsim", "cli", "help", "key"],
)
def test_nothing_heavy_is_loaded(code, also):
    script = f"{code}\nimport sys\nloaded = {{*{(*HEAVY, *also)}}} & {{*sys.modules}}\nassert not loaded, loaded"
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
