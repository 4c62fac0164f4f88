"""A brain of acrylic whose hollows take up activity, like Hoffman's."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final, Literal

from pydantic import Field

from phantomsim.phantoms.head.head import RandomHead
from phantomsim.phantoms.objects.inserts import Pose, assemble, drum
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part, Scene
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.tissues import Pet, Tissue, get

RATIO: Final = {"gray_matter": 4.0, "deep_gray": 4.0, "white_matter": 1.0, "csf": 0.0}
PARTS: Final = (
    *("csf", "white matter", "cortex", "sulcus", "folium", "ventricle", "cistern", "brain stem", "cerebellum"),
    *("caudate", "putamen", "pallidum", "thalamus"),
)
DIAMETER: Final = 210.0
LENGTH: Final = 200.0


class HoffmanBrain(PhantomSpec):
    """Hoffman-like brain: grey to white matter to fluid as 4 : 1 : 0 in activity, water to X-rays, in acrylic.

    The brain is that of the `head` phantom, always the same, and not Hoffman's plates; the ratio is grade B.

    References
    ----------
    E. J. Hoffman et al., "3-D phantom to simulate cerebral blood flow and metabolic images for PET", IEEE Trans. Nucl.
    Sci. 37 (1990), for the ratio of activities.
    """

    kind: Literal["hoffman"]
    white_suv: Annotated[float, Field(gt=0, le=100)] = Field(default=2.0, description="activity of white matter")
    pose: Pose = Pose()

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        head = RandomHead(kind="head", tilt_deg=(0.0, 0.0), turn_deg=(0.0, 0.0)).generate(Key(1990))
        scene = head.body
        if not isinstance(scene, Scene):
            raise TypeError("the head phantom is no scene")
        matter = {name: _activity(name, ratio * self.white_suv) for name, ratio in RATIO.items()}
        body = [Part(drum(DIAMETER, LENGTH), get("pmma"), "body")]
        for shape, name, code in zip(scene.shapes, scene.names, scene.codes, strict=True):
            tissue = head.tissues[code].name
            if name in PARTS and tissue in RATIO:
                body.append(Part(shape, matter[tissue], tissue))
        return self.pose.place(assemble(body, (), diameter_mm=DIAMETER, length_mm=LENGTH, white_suv=self.white_suv))


def _activity(name: str, suv: float) -> Tissue:
    """Return water with an activity."""
    pet = Pet(fdg_suv=suv, fdg_suv_deviation=0.0, sources=("typ",), grade="C")
    return replace(get("water"), name=f"water ({name})", title=f"Water in {get(name).title}", pet=pet)
