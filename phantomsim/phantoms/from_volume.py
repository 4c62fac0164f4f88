"""Phantoms from files: label maps, and CT images whose CT numbers become mixtures of tissues."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator

from phantomsim.formats.dicom import read_dicom
from phantomsim.formats.nifti import read_nifti
from phantomsim.formats.volume import Volume, locate
from phantomsim.phantoms.hosts import insert_lesions
from phantomsim.phantoms.hounsfield import scale
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import Lesions, between
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.phantoms.volume import LabelBody, MixtureBody
from phantomsim.physics.errors import RecipeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.tissues import get

LARGEST_HU: Final = 100_000.0
"""Beyond any CT number that a scanner stores, metal included."""

Positive = Annotated[float, Field(gt=0, le=10000)]


class FromFile(PhantomSpec):
    """What phantoms from files share: where the file is, what of it is used, and how draws of it differ.

    The middle of what is used stands at the origin, whatever the file's coordinates, so that every scanner sees it.
    """

    path: str = Field(description="file or folder, from the working directory or the package's folder")
    package: str | None = Field(default=None, description="installed package that holds the file; it is read in place")
    slices: tuple[int, int] | None = Field(
        default=None, description="first slice and the one after the last, from z low"
    )
    crop_mm: tuple[Positive, Positive] | None = Field(default=None, description="central region (y, x) that is kept")
    mirror: bool = Field(default=False, description="swap left and right in half of the draws")
    shift_mm: float = Field(default=0.0, ge=0, le=1000, description="largest random shift along y and along x")

    @property
    def subject(self) -> str:
        """Whose body it is: the file's, so that its slices share a split."""
        return f"{self.package or ''}:{self.path}"

    @model_validator(mode="after")
    def _check_slices(self) -> FromFile:
        if self.slices is not None and not 0 <= self.slices[0] < self.slices[1]:
            raise ValueError(f"slices must be [first, one after the last], got {list(self.slices)}")
        return self

    def _arranged(self, volume: Volume, key: Key) -> tuple[npt.NDArray[Any], Grid, dict[str, Any]]:
        """Return the part that is used, its grid about the origin, and what was done."""
        values, grid = volume.values, volume.grid
        first, last = self.slices or (0, grid.shape[0])
        if last > grid.shape[0]:
            raise RecipeError(f"slices = {[first, last]} but {self.path} has {grid.shape[0]}")
        cut = [slice(first, last)]
        for n, spacing, size in zip(grid.shape[1:], grid.spacing[1:], self.crop_mm or (np.inf, np.inf), strict=True):
            kept = n if np.isinf(size) else min(n, max(1, round(1e-3 * size / spacing)))
            cut.append(slice((n - kept) // 2, (n - kept) // 2 + kept))
        values = values[tuple(cut)]
        mirrored = self.mirror and between(key.fold("mirror"), (0.0, 1.0)) < 0.5
        if mirrored:
            values = values[:, :, ::-1]
        limits = (-1e-3 * self.shift_mm, 1e-3 * self.shift_mm)
        y, x = (between(key.fold("shift", axis), limits) for axis in ("y", "x"))
        depth, height, width = values.shape
        row = {"path": self.path, "slices": [first, last], "mirrored": mirrored, "shift_mm": [1e3 * y, 1e3 * x]}
        return values, Grid((depth, height, width), grid.spacing, (0.0, y, x)), row


class NiftiLabels(FromFile):
    """A NIfTI map of labels, each standing for a tissue."""

    kind: Literal["nifti-labels"]
    labels: dict[int, str] = Field(description="tissue of each label that occurs; the background's label included")
    background: str = Field(default="air", description="tissue outside the volume")
    lesions: Lesions = Field(default=Lesions(), description="put on top of the labels, inside `hosts`")
    hosts: tuple[str, ...] = Field(default=(), description="tissues of labels that may hold a lesion")

    @field_validator("labels", "background")
    @classmethod
    def _check_tissues(cls, value: dict[int, str] | str) -> dict[int, str] | str:
        for name in [value] if isinstance(value, str) else value.values():
            get(name)
        return value

    @model_validator(mode="after")
    def _check_hosts(self) -> NiftiLabels:
        if strange := sorted(set(self.hosts) - set(self.labels.values())):
            raise ValueError(f"hosts name {', '.join(strange)}, which no label stands for; add it to labels")
        if self.lesions.count and not self.hosts:
            raise ValueError("lesions need hosts: the tissues of labels that may hold them")
        return self

    def generate(self, key: Key) -> Phantom:
        """Read the file and make the phantom.

        Raises
        ------
        RecipeError
            If the file is missing, has a label that `labels` does not list, or holds no place for a lesion.
        ShapeError
            If it is not a volume along the patient's axes.
        """
        path = locate(self.path, self.package)
        values, grid, row = self._arranged(_nifti(path, path.stat().st_mtime_ns), key)
        names = list(dict.fromkeys([self.background, *self.labels.values()]))
        found, counts = np.unique(values, return_counts=True)
        if (broken := found[found != np.round(found)]).size:
            raise RecipeError(
                f"{self.path} is no map of labels: it has values such as {broken[0]:g}, not whole numbers; "
                "labels are resampled by the nearest neighbour, and CT images are read by kind = 'ct-volume'"
            )
        unlisted = [label for label in found.tolist() if label not in self.labels]
        if unlisted:
            voxels = counts[found.tolist().index(unlisted[0])]
            raise RecipeError(
                f"{self.path} has label {unlisted[0]:g} in {voxels} voxels, which labels does not list "
                f"(unlisted: {', '.join(f'{label:g}' for label in unlisted[:10])})"
            )
        materials = np.array([names.index(self.labels[int(label)]) for label in found.tolist()])
        body = LabelBody(materials[np.searchsorted(found, values)].astype(np.uint16), grid)
        tissues = tuple(get(name) for name in names)
        phantom = Phantom(tissues, body, truths={"source": (row,)}, subject=self.subject)
        regions = {name: body.values == names.index(name) for name in self.hosts} if self.lesions.count else {}
        return insert_lesions(phantom, self.lesions, regions, grid, key)


class CTVolume(FromFile):
    """A CT image in HU, NIfTI or DICOM; each CT number becomes a mixture of air, lung, fat, soft tissue and bone.

    The table of the patient stays in the image, and becomes part of the phantom.
    """

    kind: Literal["ct-volume"]
    thickness_mm: Positive | None = Field(
        default=None, description="of a single DICOM slice that does not state its own"
    )

    def generate(self, key: Key) -> Phantom:
        """Read the file and make the phantom; see `phantomsim.phantoms.hounsfield.scale` for the tissues.

        Raises
        ------
        RecipeError
            If the file is missing or is not CT.
        ShapeError
            If it is not a volume along the patient's axes.
        UnitError
            If its values cannot be CT numbers.
        """
        path = locate(self.path, self.package)
        if path.is_file() and path.name.endswith((".nii", ".nii.gz")):
            volume = _nifti(path, path.stat().st_mtime_ns)
        else:
            volume = _dicom(path, path.stat().st_mtime_ns, self.thickness_mm)
        _check_hounsfield(volume.values, self.path)
        values, grid, row = self._arranged(volume, key)
        tissues, nodes = scale()
        return Phantom(
            tissues,
            MixtureBody(values.astype(np.float32), grid, nodes),
            truths={"source": (row,)},
            subject=self.subject,
        )


def _check_hounsfield(values: npt.NDArray[Any], path: str) -> None:
    """Refuse values that cannot be CT numbers: those of a body reach from below 0 (fat, air) to some way above."""
    low, high = float(values.min()), float(values.max())
    span = f"{path} has values from {low:g} to {high:g}, which are not HU (air -1000, water 0, bone up to 3000)"
    if low >= 0 and high > 1000:
        raise UnitError(f"{span}: stored values without their offset? Subtract 1024, or what the scanner's header says")
    if high - low <= 2:
        raise UnitError(f"{span}: an image scaled to 1, or a mask? Give CT numbers, or kind = 'nifti-labels'")
    if high > LARGEST_HU:
        raise UnitError(f"{span}: multiplied, or of another modality?")


@lru_cache(maxsize=2)
def _nifti(path: Path, modified: int) -> Volume:
    return _frozen(read_nifti(path))


@lru_cache(maxsize=2)
def _dicom(path: Path, modified: int, thickness_mm: float | None) -> Volume:
    return _frozen(read_dicom(path, thickness_mm))


def _frozen(volume: Volume) -> Volume:
    values = volume.values.view()
    values.flags.writeable = False
    return replace(volume, values=values)
