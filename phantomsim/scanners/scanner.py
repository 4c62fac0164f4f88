"""What every scanner is to the rest of phantomsim: phantom in, signal, data and truth out."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from phantomsim.spec import Spec

if TYPE_CHECKING:
    import xarray as xr

    from phantomsim.phantoms.phantom import Phantom
    from phantomsim.physics.grid import Grid
    from phantomsim.physics.operator import LinearOperator
    from phantomsim.physics.rng import Key


class Take(Spec):
    """What a machine makes of one signal; each scanner adds its own fields.

    Which signal it is made of, its noise stream and its levels (``of``, ``noise``, ``each``) are the recipe's business.
    """


class Truth(Spec):
    """A property of the phantom as a scanner sees it; each scanner adds its own fields."""


class Scanner(Spec):
    """A machine: its geometry, source and detector.

    `simulate` is the expensive physics up to the detector's face and holds no noise; `detect` is what the machine
    makes of it. One signal serves many takes.

    Attributes
    ----------
    take_spec, truth_spec
        What a recipe may say of this scanner's takes and truths.
    variables
        Names of the arrays in a take's data, so that a recipe that asks for another is refused before any work.
    follows_motion
        Whether it sees a phantom move (by `Phantom.at`, at the time of each measurement); otherwise a recipe must give
        it one at rest.
    """

    take_spec: ClassVar[type[Take]] = Take
    truth_spec: ClassVar[type[Truth]] = Truth
    variables: ClassVar[tuple[str, ...]] = ()
    follows_motion: ClassVar[bool] = False

    def check(self, take: Take) -> None:
        """Refuse a take that this machine cannot make; `RecipeError` says which field and why."""

    @abstractmethod
    def simulate(self, phantom: Phantom, key: Key) -> xr.Dataset:
        """Scan a phantom and return the signal."""

    @abstractmethod
    def detect(self, signal: xr.Dataset, take: Take, key: Key | None) -> xr.Dataset:
        """Detect a signal and return the data, with all that `operator` needs; without a key, their expectation."""

    @abstractmethod
    def truth(self, phantom: Phantom, truth: Truth, grid: Grid) -> xr.DataArray:
        """Return what the scan should have found (z, y, x)."""

    @abstractmethod
    def operator(self, data: xr.Dataset, grid: Grid) -> LinearOperator:
        """Return the linear model of a scan, from its data alone."""
