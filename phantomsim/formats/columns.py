"""Tables of numbers in text files: spectra, bowties and whatever else a laboratory writes down in columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from phantomsim.formats.volume import locate
from phantomsim.physics.errors import RecipeError


def read_columns(path: str, names: Sequence[str], package: str | None = None) -> tuple[npt.NDArray[np.float64], ...]:
    """Read columns of numbers, separated by commas, semicolons, tabs or blanks.

    Blank lines and what follows a ``#`` are left out, and the first line may be a header.

    Parameters
    ----------
    path
        File, relative to the working directory, or to the package's folder.
    names
        What each column holds, for messages; there must be as many.
    package
        Installed package that holds the file.

    Returns
    -------
        One array for each column, float64.

    Raises
    ------
    RecipeError
        If the file is not there, is no text, holds no numbers, or a line is not so many finite numbers.
    """
    file = locate(path, package)
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        raise RecipeError(f"{path} cannot be read as text: {error}") from error
    rows: list[list[float]] = []
    header: Any = None
    for number, line in enumerate(lines, 1):
        fields = [field for field in re.split(r"\s*[,;\t]\s*|\s+", line.partition("#")[0].strip()) if field]
        if not fields:
            continue
        values = _numbers(fields)
        if values is None and not rows and header is None:
            header = fields
        elif values is None or len(values) != len(names):
            wanted = f"{len(names)} finite numbers ({', '.join(names)})"
            raise RecipeError(f"line {number} of {path} must be {wanted}, got {line.strip()!r}")
        else:
            rows.append(values)
    if not rows:
        raise RecipeError(f"{path} holds no numbers; it should have the columns {', '.join(names)}")
    return tuple(np.array(rows, np.float64).T)


def _numbers(fields: Sequence[str]) -> list[float] | None:
    try:
        values = [float(field) for field in fields]
    except ValueError:
        return None
    return values if all(map(isfinite, values)) else None
