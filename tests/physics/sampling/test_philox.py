from __future__ import annotations

import numpy as np
import pytest

from phantomsim.physics.sampling.philox import philox, positive_from_word, uniform_from_word, uniform_from_words

LAST = np.uint64(0xFFFFFFFF)

KNOWN_ANSWERS = [
    # D. E. Shaw Research, Random123 (kat_vectors), lines "philox4x32 10": counter, key, result
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text: str) -> list[np.uint64]:
    return [np.uint64(int(word, 16)) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN_ANSWERS)
def test_philox_gives_the_published_words(counter: str, key: str, result: str) -> None:
    assert list(philox(*words(counter), *words(key))) == words(result)


def test_float32_uniform_of_the_extreme_words_stays_inside_the_open_interval() -> None:
    assert uniform_from_word(np.uint64(0)) == np.float32(2.0**-24)
    assert uniform_from_word(LAST) == np.float32(1 - 2.0**-24) < 1


def test_positive_float32_of_the_extreme_words_stays_inside_the_open_interval() -> None:
    assert positive_from_word(np.uint64(0)) == np.float32(2.0**-32)
    assert positive_from_word(LAST) == np.float32(1 - 2.0**-24) < 1


def test_float64_uniform_of_the_extreme_words_stays_inside_the_open_interval() -> None:
    assert uniform_from_words(np.uint64(0), np.uint64(0)) == 2.0**-53
    assert uniform_from_words(LAST, LAST) == 1 - 2.0**-53 < 1


def test_float64_uniform_takes_52_bits_of_both_words_in_order() -> None:
    high, low = np.uint64(0x243F6A88), np.uint64(0x85A308D3)
    expected = ((int(high) << 20 | int(low) >> 12) + 0.5) / 2**52
    assert uniform_from_words(high, low) == expected
