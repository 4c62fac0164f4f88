"""What phantomsim can make, by kind: phantoms, scanners and reconstructors, here or in an installed plug-in."""

from __future__ import annotations

from contextlib import suppress
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points

from phantomsim.physics.errors import RecipeError
from phantomsim.spec import Spec


class Registry:
    """Spec classes by kind, imported when first asked for.

    Parameters
    ----------
    noun
        What the entries are, for messages: ``"phantom"``.
    builtin
        Kind to ``"module:Class"``. Plug-ins add theirs by an entry point in the group ``phantomsim.<noun>``.
    """

    def __init__(self, noun: str, builtin: dict[str, str]) -> None:
        self.noun, self._builtin = noun, builtin

    @cached_property
    def _targets(self) -> dict[str, str]:
        plugins = {point.name: point.value for point in entry_points(group=f"phantomsim.{self.noun}")}
        return plugins | self._builtin

    def kinds(self) -> list[str]:
        """Return every kind, sorted."""
        return sorted(self._targets)

    def get(self, kind: str) -> type[Spec]:
        """Return the Spec class of a kind.

        Raises
        ------
        RecipeError
            If there is none, naming the nearest kind, or if it needs a package that is not installed.
        """
        if kind not in self._targets:
            near = get_close_matches(kind, self.kinds(), 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known kinds: {', '.join(self.kinds())}"
            raise RecipeError(f"unknown {self.noun} kind {kind!r}; {hint}")
        module, _, name = self._targets[kind].partition(":")
        try:
            found: type[Spec] = getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            raise RecipeError(f"the {self.noun} {kind!r} needs {error.name}, which is not installed") from error
        return found

    def available(self) -> dict[str, type[Spec]]:
        """Return the Spec class of each kind that has all the packages it needs, sorted."""
        found = {}
        for kind in self.kinds():
            with suppress(RecipeError):
                found[kind] = self.get(kind)
        return found

    def summary(self, kind: str) -> str:
        """Return the first line of a kind's docstring, or what it lacks to be used."""
        try:
            return (self.get(kind).__doc__ or "").strip().partition("\n")[0]
        except RecipeError as error:
            return str(error)


PHANTOMS = Registry(
    "phantom",
    {
        "shepp-logan": "phantomsim.phantoms.shepp_logan:SheppLogan",
        "ellipsoids": "phantomsim.phantoms.abdomen.ellipsoids:RandomEllipsoids",
        "abdomen": "phantomsim.phantoms.abdomen.abdomen:RandomAbdomen",
        "water-cylinder": "phantomsim.phantoms.water_cylinder:WaterCylinder",
        "thorax": "phantomsim.phantoms.thorax.thorax:RandomThorax",
        "head": "phantomsim.phantoms.head.head:RandomHead",
        "hip": "phantomsim.phantoms.metal.hip:RandomHip",
        "vessels": "phantomsim.phantoms.vessels.vessels:RandomVessels",
        "small-animal": "phantomsim.phantoms.small_animal.small_animal:RandomSmallAnimal",
        "breast": "phantomsim.phantoms.breast.breast:RandomBreast",
        "nifti-labels": "phantomsim.phantoms.from_volume:NiftiLabels",
        "ct-volume": "phantomsim.phantoms.from_volume:CTVolume",
        "brain-template": "phantomsim.phantoms.template.brain:BrainTemplate",
        "mesh": "phantomsim.phantoms.surfaces.mesh:MeshPhantom",
        "harmonic": "phantomsim.phantoms.surfaces.harmonic:HarmonicOrgan",
        "ctp404": "phantomsim.phantoms.objects.ctp404:CTP404",
        "ctp528": "phantomsim.phantoms.objects.ctp528:CTP528",
        "ctp515": "phantomsim.phantoms.objects.ctp515:CTP515",
        "acr-ct": "phantomsim.phantoms.objects.acr_ct:ACRCT",
        "nema-iq": "phantomsim.phantoms.objects.nema_iq:NemaIQ",
        "nema-nu4": "phantomsim.phantoms.objects.nema_nu4:NemaNU4",
        "jaszczak": "phantomsim.phantoms.objects.jaszczak:Jaszczak",
        "derenzo": "phantomsim.phantoms.objects.derenzo:Derenzo",
        "defrise": "phantomsim.phantoms.objects.defrise:Defrise",
        "siemens-star": "phantomsim.phantoms.objects.siemens_star:SiemensStar",
        "contrast-detail": "phantomsim.phantoms.objects.contrast_detail:ContrastDetail",
        "edge-wire": "phantomsim.phantoms.objects.edge_wire:EdgeWire",
        "hoffman": "phantomsim.phantoms.objects.hoffman:HoffmanBrain",
        "nist-system": "phantomsim.phantoms.objects.nist_system:NistSystem",
        "forbild-head": "phantomsim.phantoms.objects.forbild_head:ForbildHead",
        "forbild-thorax": "phantomsim.phantoms.objects.forbild_thorax:ForbildThorax",
    },
)
SCANNERS = Registry("scanner", {"ct": "phantomsim.scanners.ct:CT"})
RECONSTRUCTORS = Registry(
    "reconstructor",
    {
        "bone-corrected-fbp": "phantomsim.recon.bone_corrected_fbp:BoneCorrectedFBP",
        "cgls": "phantomsim.recon.cgls:CGLS",
        "fbp": "phantomsim.recon.fbp:FBP",
        "fdk": "phantomsim.recon.fdk:FDK",
        "li-mar": "phantomsim.recon.mar:LinearMAR",
        "material-decomposition": "phantomsim.recon.material_decomposition:MaterialDecomposition",
        "mltr": "phantomsim.recon.mltr:MLTR",
        "nmar": "phantomsim.recon.mar:NormalisedMAR",
        "os-sart": "phantomsim.recon.os_sart:OSSART",
        "pwls": "phantomsim.recon.pwls:PWLS",
        "sirt": "phantomsim.recon.sirt:SIRT",
        "tv": "phantomsim.recon.tv:TV",
        "vmi": "phantomsim.recon.vmi:VirtualMonoEnergetic",
        "wfbp": "phantomsim.recon.wfbp:WFBP",
    },
)
