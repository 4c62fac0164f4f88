from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import numpy as np
import pytest

from phantomsim.physics import array
from phantomsim.physics.errors import DeviceError

WITHOUT_CUPY = importlib.util.find_spec("cupy") is None


class DeviceArray:
    """Stands for cupy's array: it lives elsewhere, and comes to the host by `get`."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def get(self) -> np.ndarray:
        return np.array(self.values)


@pytest.fixture
def pretended_cupy(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("cupy")
    module.ndarray = DeviceArray  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


def test_host_arrays_and_numbers_belong_to_numpy() -> None:
    assert array.namespace(np.zeros(3), 1.0, [2.0]) is np


def test_device_arrays_belong_to_cupy(pretended_cupy: ModuleType) -> None:
    assert array.namespace(DeviceArray([1.0]), 2.0) is pretended_cupy


@pytest.mark.usefixtures("pretended_cupy")
def test_mixed_devices_are_refused_with_the_way_out() -> None:
    with pytest.raises(DeviceError, match="to_device"):
        array.namespace(np.zeros(3), DeviceArray([1.0]))


@pytest.mark.usefixtures("pretended_cupy")
def test_a_device_array_comes_to_the_host() -> None:
    np.testing.assert_array_equal(array.to_host(DeviceArray([1.0, 2.0])), [1.0, 2.0])


def test_a_host_array_is_not_copied() -> None:
    x = np.zeros(3)
    assert array.to_host(x) is x
    assert array.to_device(x, "cpu") is x


@pytest.mark.parametrize(("text", "ordinal"), [("cpu", None), ("cuda", 0), ("cuda:0", 0), ("cuda:3", 3)])
def test_device_names_are_read(text: str, ordinal: int | None) -> None:
    assert array.parse_device(text) == ordinal


@pytest.mark.parametrize("text", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "CUDA"])
def test_other_device_names_are_refused(text: str) -> None:
    with pytest.raises(DeviceError, match="'cpu', 'cuda' or 'cuda:n'"):
        array.parse_device(text)


@pytest.mark.skipif(not WITHOUT_CUPY, reason="cupy is installed")
def test_a_missing_cupy_is_told_with_the_way_out() -> None:
    with pytest.raises(DeviceError, match=r"pip install 'phantomsim\[gpu\]'"):
        array.device_namespace("cuda")
