"""Runs that are killed or starved of disk, in processes of their own.

``PHANTOMSIM_KILLS=15`` kills as often as the data set's acceptance asks for; 4 by default.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from phantomsim.dataset.storage.durable import PARTIAL
from phantomsim.dataset.storage.run import run
from phantomsim.dataset.storage.store import done_shards, open_store
from phantomsim.dataset.storage.verify import verify
from phantomsim.physics.errors import ResourceError
from tests.phantomsim.dataset.producer import contents, job

ROOT = Path(__file__).parents[4]
KILLS = int(os.environ.get("PHANTOMSIM_KILLS", "4"))


def command(root: Path, **options: object) -> list[str]:
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "tests.phantomsim.dataset.generate", str(root), *words]


def generate(root: Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(root, **options), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_killed_at_any_moment_a_run_goes_on_to_the_same_bytes(tmp_path):
    samples = 24 * KILLS
    reference, root = tmp_path / "reference.zarr", tmp_path / "killed.zarr"
    run(reference, job(samples, size=64), shard=2)
    chance, done, killed = random.Random(KILLS), [0], 0
    for kill in range(KILLS):
        options = {"samples": samples, "size": 64, "seconds": 0.2, "workers": kill % 4}
        process = subprocess.Popen(command(root, **options), cwd=ROOT, start_new_session=True)
        if kill % 4 < 3:  # otherwise it dies while it starts
            wait_for_shards(root, done[-1] + 1, process)
        time.sleep(chance.uniform(0, 1))
        killed += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        done.append(n_done(root))
    assert killed == KILLS
    assert done == sorted(done)
    assert 0 < done[-1] < samples // 2
    assert generate(root, samples=samples, size=64, workers=2).returncode == 0
    assert contents(root) == contents(reference)
    assert verify(root).sound


def n_done(root: Path) -> int:
    store = open_store(root) if root.exists() else None
    return len(done_shards(store)) if store else 0


def wait_for_shards(root: Path, number: int, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 60
    while len(list(root.glob("markers/0*.json"))) < number and process.poll() is None:
        assert time.monotonic() < limit
        time.sleep(0.05)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_file_size_limit_ends_the_run_in_one_line_and_harms_nothing(tmp_path, workers):
    root = tmp_path / "a.zarr"
    run(root, job(4, size=64), shard=2, allow_mixed=True)
    before = {name: digest for name, digest in contents(root).items() if "/c/" in name}
    process = generate(root, size=64, workers=workers, file_size=20_000)
    assert process.returncode == 5, process.stderr
    assert process.stderr.startswith("ResourceError: file larger than this process may write")
    assert process.stderr.count("\n") == 1
    after = contents(root)
    assert before.items() <= after.items()
    assert not [name for name in after if PARTIAL in name]
    assert len(done_shards(open_store(root))) == 2
    assert run(root, job(size=64), allow_mixed=True).made == 8
    run(tmp_path / "b.zarr", job(size=64), shard=2)
    assert contents(root) == contents(tmp_path / "b.zarr")


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_ends_the_run_in_one_line_and_harms_nothing(small_disk, tmp_path):
    root, filler = small_disk / "a.zarr", small_disk / "filler"

    def fill(report):
        if report.made == 3:
            status = os.statvfs(small_disk)
            filler.write_bytes(bytes(status.f_bavail * status.f_frsize - 30_000))

    with pytest.raises(ResourceError, match="no space left on the disk") as caught:
        run(root, job(size=64), shard=2, progress=fill)
    assert "\n" not in str(caught.value)
    store = open_store(root)
    assert len(done_shards(store)) == 3
    assert not [damage for damage in verify(root).damages if damage.shard in (0, 1, 2)]
    with pytest.raises(ResourceError):
        run(root, job(size=64))
    filler.unlink()
    assert run(root, job(size=64)).complete
    run(tmp_path / "b.zarr", job(size=64), shard=2)
    assert contents(root) == contents(tmp_path / "b.zarr")
    assert verify(root).sound


def test_an_interrupted_cluster_leaves_a_store_that_goes_on(tmp_path):
    root = tmp_path / "a.zarr"
    process = subprocess.Popen(
        command(root, samples=40, seconds=0.2, workers=2),
        cwd=ROOT,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background shell leaves it ignored
    )
    wait_for_shards(root, 1, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) != 0
    assert 0 < len(done_shards(open_store(root))) < 20
    run(root, job(40, size=8), allow_mixed=True)
    assert verify(root).sound
