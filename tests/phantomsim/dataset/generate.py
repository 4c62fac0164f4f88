"""A run of its own process, to be killed or starved: ``python -m tests.phantomsim.dataset.generate``."""

import argparse
import sys
from pathlib import Path

from phantomsim.dataset.storage.run import Workers, run
from phantomsim.physics.errors import PhantomsimError
from tests.phantomsim.dataset.producer import job


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--shard", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--size", type=int, default=8)
    parser.add_argument("--file-size", type=int, help="bytes that one file may have")
    options = parser.parse_args()
    if options.file_size:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_size, options.file_size))
    wanted = job(options.samples, seconds=options.seconds, size=options.size)
    try:
        run(options.root, wanted, Workers(options.workers), shard=options.shard, allow_mixed=True)
    except PhantomsimError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
