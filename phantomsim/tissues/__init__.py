"""The tissue library: one table of properties behind every modality.

``get("liver")`` returns a `Tissue`; its property groups (`Mr`, `Acoustic`, `Optical`, `Pet`) are in SI, and each says
where its numbers come from and how far they can be trusted.
"""

from phantomsim.tissues.library import citation, get, names
from phantomsim.tissues.tissue import Acoustic, Group, Mr, Optical, Perfusion, Pet, Relaxation, Tissue

__all__ = [
    "Acoustic",
    "Group",
    "Mr",
    "Optical",
    "Perfusion",
    "Pet",
    "Relaxation",
    "Tissue",
    "citation",
    "get",
    "names",
]
