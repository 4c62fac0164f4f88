"""The report: one HTML file that says what a data set holds, how it was made and what it looks like."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib.resources import files
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from phantomsim.report.agreement import PairAgreement, agreement_figure, followed_parameter, pair_agreement
from phantomsim.report.distributions import distribution_figure
from phantomsim.report.facts import Facts, facts_of
from phantomsim.report.preview import preview_figure
from phantomsim.report.stored import stored_samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from phantomsim.dataset.job import Sample

SHOWN: Final = 4
"""Samples in the picture."""
COMPARED: Final = 32
"""Samples that numbers and noise are measured on, or fewer:"""
COMPARED_BYTES: Final = 2**30
"""most that they may take in memory."""
MAX_FAILURES: Final = 20
_DPI: Final = 130


def write_report(store_path: Path | str, out_path: Path | str) -> Path:
    """Write a self-contained HTML report of a data set, complete or not.

    Parameters
    ----------
    store_path
        Folder of the store.
    out_path
        Where the HTML file goes; replaced in one step.

    Returns
    -------
        The path written.

    Raises
    ------
    IntegrityError
        If there is no store.
    """
    facts = facts_of(store_path)
    page = render_report(facts, Path(store_path))
    out = Path(out_path)
    part = out.with_name(f".{out.name}.part")
    part.write_text(page, encoding="utf-8")
    os.replace(part, out)
    return out


def render_report(facts: Facts, store_path: Path) -> str:
    """Return the HTML of `write_report`."""
    valid = facts.valid
    most = max(1, min(COMPARED, COMPARED_BYTES // max(facts.store.layout.sample_bytes, 1)))
    compared = [valid[i] for i in _evenly(len(valid), most)]
    samples = stored_samples(facts.store, compared)
    agreements = [found for pair in facts.pairs if (found := pair_agreement(samples, pair))]
    parameters = [sample.parameters for sample in samples]
    paths = [followed_parameter(found, parameters) for found in agreements]
    noise = [
        (_picture(agreement_figure(found, parameters, path)), path)
        for found, path in zip(agreements, paths, strict=True)
    ]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"size": size_text, "number": number_text, "duration": duration_text}
    template = environment.from_string(files("phantomsim.report").joinpath("report.html").read_text(encoding="utf-8"))
    return template.render(
        facts=facts,
        store=store_path.name,
        preview=_preview(facts, samples, compared),
        agreements=list(zip(agreements, noise, strict=True)),
        quantities=_quantities(agreements),
        n_compared=len(samples),
        distributions=_picture(distribution_figure(facts.drawn)),
        max_failures=MAX_FAILURES,
    )


def size_text(n_bytes: float) -> str:
    """Write a number of bytes in binary units: ``"1.2 MiB"``."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(n_bytes) < 1024 or unit == "TiB":
            break
        n_bytes /= 1024
    return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.3g} {unit}"


def number_text(value: float) -> str:
    """Write a number with four digits, a dash if it is not finite."""
    return f"{value:.4g}".replace("-", "−") if isfinite(value) else "–"


def duration_text(seconds: float) -> str:
    """Write a time as ``"0.12 s"``, ``"3 min 20 s"`` or ``"2 h 5 min"``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"


def _evenly(n: int, most: int) -> list[int]:
    """Return at most so many indices below `n`, evenly spread."""
    return sorted({int(i) for i in np.linspace(0, n - 1, min(n, most))}) if n else []


def _preview(facts: Facts, samples: Sequence[Sample], records: Sequence[Mapping[str, Any]]) -> Markup | None:
    chosen = _evenly(len(samples), SHOWN)
    if not chosen:
        return None
    numbers = [records[i]["index"] for i in chosen]
    return _picture(preview_figure([samples[i] for i in chosen], facts.pairs, numbers, lesions=True))


def _picture(figure: Figure | None) -> Markup | None:
    """Return a figure as the address of an image that holds its own data."""
    if figure is None:
        return None
    data = BytesIO()
    figure.savefig(data, format="png", dpi=_DPI)
    return Markup("data:image/png;base64,") + b64encode(data.getvalue()).decode()


def _quantities(agreements: Sequence[PairAgreement]) -> list[tuple[PairAgreement, dict[str, tuple[float, float]]]]:
    names = ("rmse", "psnr", "bias", "deviation")
    return [(found, {name: found.summary(name) for name in names}) for found in agreements]
