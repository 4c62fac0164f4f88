"""Random draws beside NumPy's Generator in the same run, both on one thread."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from phantomsim.physics.kernel import threads
from phantomsim.physics.rng import Key, exponential, normal, poisson, uniform

N = 1 << 20
KEY = Key(1)
PEER = np.random.Generator(np.random.SFC64(1))  # NumPy's fastest bit generator

REALS = {
    "uniform": (uniform, lambda: PEER.random(N, dtype=np.float32)),
    "normal": (normal, lambda: PEER.standard_normal(N, dtype=np.float32)),
    "exponential": (exponential, lambda: PEER.standard_exponential(N, dtype=np.float32)),
}


def core_seconds(function: Callable[[], Any], rounds: int = 5) -> float:
    """Return the least CPU time of all threads that a call took."""
    function()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def compare(benchmark: Any, ours: Callable[[], Any], peers: Callable[[], Any]) -> None:
    with threads(1):
        benchmark.pedantic(ours, rounds=10, warmup_rounds=1)
        seconds, peer_seconds = core_seconds(ours), core_seconds(peers)
    benchmark.extra_info["core_seconds"] = seconds
    benchmark.extra_info["million_draws_per_core_second"] = N / seconds / 1e6
    benchmark.extra_info["numpy_million_draws_per_core_second"] = N / peer_seconds / 1e6
    benchmark.extra_info["ratio_to_numpy"] = peer_seconds / seconds


@pytest.mark.parametrize("name", REALS)
def test_reals(benchmark: Any, name: str) -> None:
    sampler, peers = REALS[name]
    compare(benchmark, lambda: sampler(KEY, N), peers)


@pytest.mark.parametrize("mean", [1e-3, 1.0, 9.0, 1e2, 1e3, 1e5])
def test_poisson(benchmark: Any, mean: float) -> None:
    means = np.full(N, mean, np.float32)
    compare(benchmark, lambda: poisson(KEY, means), lambda: PEER.poisson(means))


def test_poisson_of_a_projection(benchmark: Any) -> None:
    """Means from 1 to 1e5 side by side, as behind a patient."""
    means = np.exp(np.linspace(0, np.log(1e5), N)).astype(np.float32)
    np.random.default_rng(0).shuffle(means)
    compare(benchmark, lambda: poisson(KEY, means), lambda: PEER.poisson(means))


def test_first_draw_of_a_cold_process(benchmark: Any) -> None:
    """From the start of Python to the first result of a cached kernel."""
    command = [sys.executable, "-c", "from phantomsim.physics.rng import Key, normal; normal(Key(1), 10)"]
    subprocess.run(command, check=True)  # fills the cache
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    benchmark.pedantic(lambda: subprocess.run(command, check=True), rounds=5)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    benchmark.extra_info["core_seconds"] = used / 5
