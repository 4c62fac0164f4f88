"""The pictures of a data set: a preview and a report, beside its arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SHOWN: Final = 4


def picture_store(root: Path) -> dict[str, Path]:
    """Write ``preview.png``, if any sample is valid, and ``report.html`` into a store; return their paths."""
    from phantomsim.dataset.recipe.outline import PairSpec
    from phantomsim.dataset.view import open_contents
    from phantomsim.report.html import write_report
    from phantomsim.report.preview import preview
    from phantomsim.report.stored import stored_samples

    contents = open_contents(root)
    records = contents.select(None)[:SHOWN]
    paths = {}
    if records:
        pairs = [PairSpec(**{**pair, "extra": tuple(pair["extra"])}) for pair in contents.attributes["pairs"]]
        samples = stored_samples(contents.store, records)
        indices = [record["index"] for record in records]
        paths["preview"] = preview(samples, pairs, root / "preview.png", indices=indices)
    return {**paths, "report": write_report(root, root / "report.html")}
