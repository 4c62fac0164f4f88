from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from phantomsim.physics import kernel
from phantomsim.physics.errors import ResourceError
from phantomsim.physics.kernel import REGISTRY, Kernel, loop_nest, n_threads, scalar, threads

PHYSICS = Path(kernel.__file__).parent
Values = npt.NDArray[Any]


@scalar
def _scaled(x: float, factor: float) -> float:
    return x * factor


@loop_nest
def _blocks(begin: int, end: int, x: Values, factor: float, out: Values) -> None:
    for i in range(begin, end):
        out[i] = _scaled(x[i], factor)


def _thread(i: int, x: Values, factor: float, out: Values) -> None:
    out[i] = _scaled(x[i], factor)


@pytest.fixture
def scale(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setattr(kernel, "REGISTRY", {})
    return Kernel("test.scale", _blocks, _thread, "real[::1];real;real[::1]")


def run(script: str, package: Path, cache: Path) -> str:
    """Run a script on a copied package, in a process of its own, and return what it prints."""
    path = package / "script.py"  # a file, since spawned processes import the main module again
    path.write_text(script)
    environment = os.environ | {"PYTHONPATH": str(package), "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-W", "error", path]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# Threads


@pytest.mark.parametrize("n", [1, 2, 3, 8])
@pytest.mark.parametrize("n_blocks", [0, 1, 2, 1001])
def test_every_block_runs_once_on_any_number_of_threads(scale: Kernel, n: int, n_blocks: int) -> None:
    x, out = np.arange(1001, dtype=np.float32), np.full(1001, -1, np.float32)
    with threads(n):
        scale(n_blocks, n_blocks, x, np.float32(3), out)
    np.testing.assert_array_equal(out[:n_blocks], 3 * x[:n_blocks])
    np.testing.assert_array_equal(out[n_blocks:], -1)


def test_threads_are_chosen_for_a_scope_and_this_thread_only() -> None:
    seen = []
    with threads(5):
        with threads(2):
            assert n_threads() == 2
        assert n_threads() == 5
        other = threading.Thread(target=lambda: seen.append(n_threads()))
        other.start()
        other.join()
    assert seen == [n_threads()] == [len(os.sched_getaffinity(0))]


def test_an_error_in_one_block_leaves_when_all_have_ended(scale: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    def blocks(begin: int, end: int) -> None:
        if begin == 0 < end:
            raise RuntimeError("the first block fails")
        ended.append(end)

    monkeypatch.setattr(scale, "blocks", blocks)
    with threads(2), pytest.raises(RuntimeError, match="first block"):
        scale.run(8)
    assert sorted(ended) == [0, 2, 3, 4, 5, 6, 7, 8]  # 0: the empty range that compiles


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_runs_kernels(scale: Kernel) -> None:
    x, out = np.ones(10, np.float32), np.zeros(10, np.float32)
    with threads(2):
        scale(10, 10, x, np.float32(2), out)  # starts the parent's threads
        child = os.fork()
        if child == 0:
            scale(10, 10, x, np.float32(4), out)
            os._exit(0 if np.all(out == 4) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# The registry


def test_a_name_is_given_once(scale: Kernel) -> None:
    with pytest.raises(ValueError, match=r"'test\.scale' is registered already"):
        Kernel("test.scale", scale.blocks, scale.thread, scale.signature)


def test_other_dtypes_compile_from_the_same_source(scale: Kernel) -> None:
    x, out = np.array([1 / 3]), np.zeros(1)
    scale(1, 1, x, 3.0, out)
    assert out[0] == 1.0
    assert out.dtype == np.float64


# The cache


RUN_ENGINE = """
import numpy as np
from phantomsim.physics.engine import KERNEL
from phantomsim.physics.kernel import cache_folder

out = np.zeros(1, np.int64)
KERNEL(1, 1, out)
print(out[0], "from cache" if KERNEL.blocks.stats.cache_hits else "compiled", cache_folder() is not None)
"""

COMPILE_ALL = """
from phantomsim.physics.kernel import compile_all

if __name__ == "__main__":
    print(*compile_all(1))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Copy what a kernel needs into a package of its own, with a kernel in one module and its helper in another."""
    folder = tmp_path / "package" / "phantomsim" / "physics"
    folder.mkdir(parents=True)
    for name in ("__init__.py", "array.py", "errors.py", "kernel.py"):
        shutil.copy(PHYSICS / name, folder)
    (folder.parent / "__init__.py").touch()
    (folder / "helper.py").write_text(
        "from phantomsim.physics.kernel import scalar\n\n@scalar\ndef value():\n    return 1\n"
    )
    (folder / "engine.py").write_text(
        "from phantomsim.physics.helper import value\n"
        "from phantomsim.physics.kernel import Kernel, loop_nest\n\n"
        "@loop_nest\ndef blocks(begin, end, out):\n    for i in range(begin, end):\n        out[i] = value()\n\n"
        "def thread(i, out):\n    out[i] = value()\n\n"
        "KERNEL = Kernel('test.value', blocks, thread, 'int64[::1]')\n"
    )
    return tmp_path / "package"


def test_an_edited_helper_in_another_module_is_never_served_stale(package: Path, tmp_path: Path) -> None:
    assert run(RUN_ENGINE, package, tmp_path / "cache") == "1 compiled True\n"
    assert run(RUN_ENGINE, package, tmp_path / "cache") == "1 from cache True\n"
    helper = package / "phantomsim" / "physics" / "helper.py"
    helper.write_text(helper.read_text().replace("return 1", "return 2"))
    assert run(RUN_ENGINE, package, tmp_path / "cache") == "2 compiled True\n"


def test_compile_all_fills_the_cache_for_later_processes(package: Path, tmp_path: Path) -> None:
    assert run(COMPILE_ALL, package, tmp_path / "cache") == "test.value\n"
    assert run(RUN_ENGINE, package, tmp_path / "cache") == "1 from cache True\n"


def test_kernels_run_where_no_cache_can_be_written(package: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run(RUN_ENGINE, package, tmp_path / "file" / "below") == "1 compiled False\n"


def test_warming_up_without_a_cache_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "cache_folder", lambda: None)
    with pytest.raises(ResourceError, match="XDG_CACHE_HOME"):
        next(kernel.compile_all())


def test_engines_register_their_kernels_when_loaded() -> None:
    kernel.load_engines()
    assert {"rng.uniform", "rng.poisson"} <= set(REGISTRY)
