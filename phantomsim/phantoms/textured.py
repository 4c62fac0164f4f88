"""Bodies with texture: some of their materials are mixtures, by a random field, of a lighter and a denser form."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from phantomsim.phantoms.phantom import Body, Phantom
from phantomsim.phantoms.texture import SPAN, Texture, sampled
from phantomsim.physics.array import Array, to_device
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import Rays


@dataclass(frozen=True)
class TexturedBody(Body):
    """A body in which some materials are mixtures, by a random field, of a lighter and a denser form.

    Parameters
    ----------
    body
        The body without texture.
    n_materials
        Its number of materials; the mixtures' dense forms follow them, in the order of `mixed`.
    mixed
        The materials with texture; what they stand for in `body` is their light form.
    textures, keys
        The texture of each of them, and the stream of its field.
    """

    body: Body
    n_materials: int
    mixed: tuple[int, ...]
    textures: tuple[Texture, ...]
    keys: tuple[Key, ...]

    @property
    def exact(self) -> bool:
        """Lines through a random field have no closed form."""
        return False

    @property
    def grid(self) -> Grid | None:
        """Grid of the body without texture."""
        return self.body.grid

    def fractions(self, grid: Grid, n_materials: int, device: str) -> Array:
        """Return volume fractions (material, z, y, x)."""
        plain = self.body.fractions(grid, n_materials, device)
        for dense, (material, texture, key) in enumerate(
            zip(self.mixed, self.textures, self.keys, strict=True), self.n_materials
        ):
            if not plain[material].any():
                continue
            share = to_device(0.5 + np.clip(sampled(texture, key, grid), -SPAN, SPAN) / (2 * SPAN), device)
            plain[dense] = plain[material] * share
            plain[material] -= plain[dense]
        return plain

    def path_lengths(self, rays: Rays, n_materials: int, device: str) -> Array:
        """Refuse: lines through a texture are the projector's business."""
        raise ShapeError("a phantom with texture has no exact path lengths; project its fractions")

    def materials(self, points: Array, device: str) -> Array:
        """Return the material at points (…): a texture's light form stands for the mixture."""
        return self.body.materials(points, device)

    def without(self, parts: Collection[str]) -> TexturedBody:
        """Return the body without some of its parts, with the same texture."""
        return replace(self, body=self.body.without(parts))


def textured(phantom: Phantom, textures: Sequence[Texture], key: Key) -> Phantom:
    """Return a phantom with texture in some of its tissues.

    Raises
    ------
    RecipeError
        If two textures are of one tissue.
    """
    by_name = {texture.tissue: texture for texture in textures}
    if len(by_name) < len(textures):
        raise RecipeError("textures: one tissue has two textures; give it one")
    tissues, dense, materials, used = list(phantom.tissues), [], [], []
    for material, tissue in enumerate(phantom.tissues):
        texture = by_name.get(tissue.name.split("+")[0].split("@")[0])
        if texture is None or material == 0:
            continue
        tissues[material] = texture.shifted(tissue, -1)
        dense.append(texture.shifted(tissue, 1))
        materials.append(material)
        used.append(texture)
    if not used:
        return phantom
    keys = tuple(key.fold("texture", texture.tissue) for texture in used)
    body = TexturedBody(phantom.body, len(phantom.tissues), tuple(materials), tuple(used), keys)
    return replace(phantom, tissues=(*tissues, *dense), body=body)
