"""One physics, two loop nests: what compiles, caches, threads and launches every kernel.

The physics of a kernel is scalar functions (`scalar`), written once. Around them stand two short nests:

* on the CPU, ``blocks(begin, end, *args)`` works on a range of independent units (views, rows, fixed tiles) so that
  LLVM vectorises what is inside; ranges run on threads, and no output depends on where a range was cut;
* on the GPU, ``thread(i, *args)`` does the work of one CUDA thread.

`Kernel` holds both and lets the arrays decide which one runs. With ``NUMBA_ENABLE_CUDASIM=1`` (read once, at import)
nothing is compiled and the CUDA simulator runs the plain Python functions.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import multiprocessing
import os
import pkgutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any, overload

import numba
import numpy as np
import platformdirs

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import DeviceError, ResourceError

SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"
FASTMATH = {"contract", "reassoc", "nsz", "arcp"}  # not nnan or ninf: physics uses both as guards
THREADS_PER_BLOCK = 128

Function = Callable[..., Any]
Real = Any
"""A float32 or float64 scalar in a kernel: the type of the arguments decides."""

REGISTRY: dict[str, Kernel] = {}
"""Every kernel by name, for warm-up and for the tests that compile all of them."""


@cache
def cache_folder() -> Path | None:
    """Return the folder of compiled kernels, named by the hash of all kernel sources, or None if none is writable.

    Numba's own check misses an edited function in another module; a new hash makes every stale result unreachable.
    """
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=8)
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    folder = platformdirs.user_cache_path("phantomsim") / digest.hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


@overload
def scalar(function: Function) -> Function: ...
@overload
def scalar(*, reassociate: bool) -> Callable[[Function], Function]: ...
def scalar(function: Function | None = None, *, reassociate: bool = True) -> Function:
    """Compile a scalar function that loop nests of both backends inline.

    LLVM must inline it before it looks for loops to vectorise, hence the force: Philox ran 6 times slower without.

    Parameters
    ----------
    function
        The function; without it a decorator is returned.
    reassociate
        Let the compiler reorder sums. False where the order is the point: a constant in two parts, a compensated sum.
    """
    if function is None:
        return partial(scalar, reassociate=reassociate)
    if SIMULATED:
        return function
    flags = FASTMATH if reassociate else FASTMATH - {"reassoc"}
    options = {"fastmath": flags, "error_model": "numpy", "nogil": True, "forceinline": True}
    return numba.njit(function, **options)  # type: ignore[no-any-return]


def loop_nest(function: Function) -> Function:
    """Compile a CPU loop nest, without the GIL, cached on disk where a cache folder can be written."""
    if SIMULATED:
        return function
    dispatcher = numba.njit(function, fastmath=FASTMATH, error_model="numpy", nogil=True)
    folder = cache_folder()
    if folder is not None:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(folder)  # numba reads it once, while it enables the cache
        try:
            dispatcher.enable_caching()
        finally:
            numba.config.CACHE_DIR = before
    return dispatcher  # type: ignore[no-any-return]


_threads: ContextVar[int | None] = ContextVar("threads", default=None)


def n_threads() -> int:
    """Return the number of CPU threads that kernels use here: `threads`, or every core this process may run on."""
    if (chosen := _threads.get()) is not None:
        return chosen
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Let kernels called inside use `n` CPU threads; results do not depend on it."""
    token = _threads.set(n)
    try:
        yield
    finally:
        _threads.reset(token)


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="phantomsim-kernel")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked child inherits pools without their threads


class Kernel:
    """One computation with a loop nest for each backend.

    Parameters
    ----------
    name
        Dotted name, unique, such as ``"xray.joseph.forward"``.
    blocks
        CPU nest ``blocks(begin, end, *args)``, made by `loop_nest`.
    thread
        Plain function ``thread(i, *args)``: the work of CUDA thread `i`.
    signature
        Types of ``*args`` in numba's spelling, separated by ``;``. ``real`` and ``complex`` stand for the production
        types float32 and complex64; numba compiles others on demand.
    float64_reason
        Why this kernel may use float64 on the GPU (count samplers, geometry); empty for a float32 kernel.
    """

    def __init__(
        self, name: str, blocks: Function, thread: Function, signature: str, *, float64_reason: str = ""
    ) -> None:
        if name in REGISTRY:
            raise ValueError(f"kernel {name!r} is registered already")
        self.name, self.blocks, self.thread, self.float64_reason = name, blocks, thread, float64_reason
        self.signature = signature
        REGISTRY[name] = self

    @property
    def types(self) -> tuple[Any, ...]:
        """Numba types of the production signature."""
        names = {
            n: getattr(numba.types, n)
            for n in ("int32", "int64", "uint32", "uint64", "uint8", "float32", "float64", "boolean")
        }
        names |= {"real": numba.types.float32, "complex": numba.types.complex64}
        return tuple(eval(part, {"__builtins__": {}}, names) for part in self.signature.split(";"))

    @cached_property
    def global_function(self) -> Function:
        """The CUDA kernel as a Python function ``(n, *args)``: numba needs its arguments spelled out."""
        try:
            from numba import cuda
        except ImportError as error:
            raise DeviceError("kernels on CUDA need numba-cuda: pip install 'phantomsim[gpu]'") from error
        body = self.thread if SIMULATED else numba.njit(self.thread, fastmath=FASTMATH, error_model="numpy")
        scope: dict[str, Any] = {"body": body, "cuda": cuda}
        arguments = ", ".join(list(inspect.signature(self.thread).parameters)[1:])
        exec(
            f"def kernel(_n, {arguments}):\n    _i = cuda.grid(1)\n    if _i < _n:\n        body(_i, {arguments})\n",
            scope,
        )
        return scope["kernel"]  # type: ignore[no-any-return]

    @cached_property
    def _cuda_dispatcher(self) -> Any:
        function = self.global_function
        from numba import cuda

        return cuda.jit(function, fastmath=True)

    def compile(self) -> None:
        """Compile the CPU nest for the production signature and leave it in the cache."""
        self.blocks.compile((numba.types.int64, numba.types.int64, *self.types))  # type: ignore[attr-defined]

    def launch(self, n: int, *args: Any) -> None:
        """Run `n` CUDA threads on arrays that live on the device."""
        if n == 0:  # CUDA refuses an empty grid
            return
        grid = (n + THREADS_PER_BLOCK - 1) // THREADS_PER_BLOCK
        self._cuda_dispatcher[grid, THREADS_PER_BLOCK](n, *args)

    def run(self, n_blocks: int, *args: Any) -> None:
        """Run blocks 0 to `n_blocks` of the CPU nest on `n_threads` threads."""
        workers = min(n_threads(), n_blocks)
        if workers <= 1:
            self.blocks(0, n_blocks, *args)
            return
        self.blocks(0, 0, *args)  # compiles here: a compile on a worker deadlocks while this thread imports
        pieces = min(4 * workers, n_blocks)
        cuts = [n_blocks * i // pieces for i in range(pieces + 1)]
        running = [_pool(workers).submit(self.blocks, a, b, *args) for a, b in pairwise(cuts)]
        wait(running)  # all, before an error of one leaves here: no thread may write on behind the caller's back
        for done in running:
            done.result()

    def __call__(self, n_blocks: int, n_cuda_threads: int, *args: Array | complex) -> None:
        """Run where the arrays are: `n_blocks` units of the CPU nest, or `n_cuda_threads` threads of the GPU nest."""
        if namespace(*args) is np:
            self.run(n_blocks, *args)
        else:
            self.launch(n_cuda_threads, *args)


def load_engines() -> None:
    """Import every module of `phantomsim.physics`, so that all its kernels are in `REGISTRY`."""
    package = importlib.import_module("phantomsim.physics")
    for module in pkgutil.walk_packages(package.__path__, "phantomsim.physics."):
        importlib.import_module(module.name)


def _compile_in_worker(module: str, name: str) -> None:
    importlib.import_module(module)
    REGISTRY[name].compile()


def compile_all(workers: int | None = None) -> Iterator[str]:
    """Compile the CPU nest of every kernel into the cache, in processes of their own.

    Parameters
    ----------
    workers
        Number of processes; `n_threads` without it.

    Yields
    ------
        The name of each kernel when its code is in the cache.

    Raises
    ------
    ResourceError
        If no cache folder can be written.
    """
    if cache_folder() is None:
        raise ResourceError("no folder for compiled kernels can be written; set XDG_CACHE_HOME to one that can")
    load_engines()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers or n_threads(), mp_context=spawn) as pool:
        running = {
            pool.submit(_compile_in_worker, kernel.thread.__module__, name): name for name, kernel in REGISTRY.items()
        }
        for done in as_completed(running):
            done.result()
            yield running[done]
