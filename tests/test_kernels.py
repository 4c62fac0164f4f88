"""Every kernel of the project: the same results from both loop nests, and machine code for a GPU, all without one.

A case file in ``kernel_cases/`` gives each kernel of an engine small arguments (see its ``cases``). The CPU nest runs
here; the GPU nest runs in the CUDA simulator, all cases in one process of its own (this file as a script); and the GPU
nest is compiled to PTX and on to machine code for sm_90. A tolerance is relative to the largest value of the output; 0
means the same bits.
"""

from __future__ import annotations

import importlib
import os
import pickle
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from phantomsim.physics.kernel import REGISTRY, Kernel, load_engines

ROOT = Path(__file__).parents[1]
COMPUTE_CAPABILITY = (9, 0)


@dataclass(frozen=True)
class Case:
    """Arguments of one run of a kernel, and how far the outputs of its two nests may differ."""

    kernel: str
    n_blocks: int
    n_cuda_threads: int
    arguments: tuple[Any, ...]
    outputs: tuple[int, ...]
    tolerance: float

    def run(self, *, on_gpu: bool) -> list[np.ndarray[Any, Any]]:
        """Run one nest of the kernel on copies of the arguments; return the outputs."""
        kernel = REGISTRY[self.kernel]
        arguments = [x.copy() if isinstance(x, np.ndarray) else x for x in self.arguments]
        if on_gpu:
            kernel.launch(self.n_cuda_threads, *arguments)
        else:
            kernel.run(self.n_blocks, *arguments)
        return [arguments[i] for i in self.outputs]


def load(path: Path) -> ModuleType:
    # by its name: a kernel of a module that cannot be imported again does not come back from numba's cache
    return importlib.import_module(f"tests.kernel_cases.{path.stem}")


def case_files() -> list[Path]:
    return sorted((ROOT / "tests" / "kernel_cases").glob("*.py"))


def all_cases() -> list[Case]:
    return [Case(*case) for path in case_files() for case in load(path).cases()]


def simulate(source: str, target: str) -> None:
    """Run pickled cases in the CUDA simulator and pickle the outputs; a case that fails leaves its traceback."""
    load_engines()
    for path in case_files():
        load(path)  # a case file may hold a kernel of its own
    results: list[list[np.ndarray[Any, Any]] | str] = []
    for case in pickle.loads(Path(source).read_bytes()):
        try:
            results.append(Case(*case).run(on_gpu=True))
        except Exception:  # noqa: BLE001 (handed to the test of this case)
            results.append(traceback.format_exc())
    Path(target).write_bytes(pickle.dumps(results))


if __name__ == "__main__":
    simulate(*sys.argv[1:])
    sys.exit()

load_engines()
CASES = all_cases()
KERNELS = [pytest.param(kernel, id=name) for name, kernel in sorted(REGISTRY.items())]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start the simulator at once: it works while this process compiles."""
    folder = tmp_path_factory.mktemp("simulator")
    source, target, log = folder / "cases.pickle", folder / "results.pickle", folder / "log"
    fields = Case.__dataclass_fields__
    source.write_bytes(pickle.dumps([tuple(getattr(case, name) for name in fields) for case in CASES]))
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, __file__, source, target]
    with log.open("wb") as output, subprocess.Popen(command, env=environment, stderr=output) as process:
        yield process, target, log
        process.kill()


@pytest.fixture(scope="module")
def simulated(simulator: Any) -> list[Any]:
    process, target, log = simulator
    assert process.wait(timeout=300) == 0, log.read_text()
    results: list[Any] = pickle.loads(target.read_bytes())
    return results


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel_has_a_case(kernel: Kernel) -> None:
    assert kernel.name in {case.kernel for case in CASES}, "add one to the file of its engine in tests/kernel_cases"


@pytest.fixture
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let numba-cuda compile where there is no driver to ask for the compute capability."""
    pytest.importorskip("numba_cuda", reason="numba's own CUDA target is older: pip install numba-cuda")
    dispatcher = importlib.import_module("numba.cuda.dispatcher")
    device = SimpleNamespace(compute_capability=COMPUTE_CAPABILITY)
    monkeypatch.setattr(dispatcher, "get_current_device", lambda: device)


def assembler() -> Path:
    """Return the path of ptxas, from the wheel nvidia-cuda-nvcc."""
    found = [p for root in importlib.import_module("nvidia").__path__ for p in Path(root).glob("*/bin/ptxas")]
    if not found:
        pytest.skip("ptxas is not there: pip install nvidia-cuda-nvcc")
    return found[0]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.usefixtures("simulator", "without_gpu")
def test_kernel_becomes_gpu_machine_code_without_float64_or_spills(kernel: Kernel, tmp_path: Path) -> None:
    from numba import cuda, types

    signature = types.void(types.int64, *kernel.types)
    major, minor = COMPUTE_CAPABILITY
    ptx, _ = cuda.compile(
        kernel.global_function, signature, device=False, abi="numba", cc=COMPUTE_CAPABILITY, fastmath=True
    )
    source = tmp_path / "kernel.ptx"
    source.write_text(ptx)
    command = [assembler(), f"-arch=sm_{major}{minor}", "-v", "-o", tmp_path / "kernel.cubin", source]
    report = subprocess.run(command, capture_output=True, text=True, check=False)
    assert report.returncode == 0, report.stderr
    if not kernel.float64_reason:
        promoted = [line.strip() for line in ptx.splitlines() if re.search(r"\.f64\b", line)]
        assert not promoted, f"a float32 kernel computes in float64: {promoted[:8]}"
        assert "0 bytes spill stores, 0 bytes spill loads" in report.stderr, report.stderr


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.kernel for case in CASES])
def test_cpu_and_simulated_gpu_agree(number: int, simulated: list[Any]) -> None:
    case = CASES[number]
    on_gpu = simulated[number]
    assert not isinstance(on_gpu, str), on_gpu
    for index, a, b in zip(case.outputs, case.run(on_gpu=False), on_gpu, strict=True):
        assert a.dtype == b.dtype
        assert not np.array_equal(a, case.arguments[index]), "the kernel wrote nothing"
        if case.tolerance == 0:
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=0, atol=case.tolerance * np.abs(a).max())
