"""What every reconstructor is: data in, by role, image out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from phantomsim.spec import Spec

if TYPE_CHECKING:
    import xarray as xr

    from phantomsim.physics.grid import Grid


class Reconstructor(Spec):
    """A method that makes an image of data; all it knows of the scan it finds in the data."""

    kind: str

    @abstractmethod
    def reconstruct(self, products: Mapping[str, xr.Dataset], grid: Grid) -> xr.DataArray:
        """Reconstruct an image (z, y, x) on a grid from products by role; the data has the role ``"data"``."""
