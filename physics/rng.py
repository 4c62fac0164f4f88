"""Counter-based random streams: element i of a stream depends on nothing but its key and i."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """The address of a random stream: a seed and a path of purposes.

    Parameters
    ----------
    seed
        Seed of the recipe, any non-negative integer.
    path
        Names and numbers folded in, such as ``(sample, "take", "low")``.
    """

    seed: int
    path: tuple[str | int, ...] = ()

    def fold(self, *names: str | int) -> Key:
        """Return the key of a stream below this one, independent of it and of its siblings."""
        return Key(self.seed, (*self.path, *names))

    @property
    def words(self) -> tuple[int, int, int]:
        """Two key words and one counter word (stream) of 32 bits: 96 bits of BLAKE2b over seed and path."""
        text = "\x1f".join([str(self.seed), *(f"{'i' if isinstance(n, int) else 's'}{n}" for n in self.path)])
        digest = hashlib.blake2b(text.encode(), digest_size=12).digest()
        k0, k1, stream = (int.from_bytes(digest[i : i + 4], "little") for i in (0, 4, 8))
        return k0, k1, stream
