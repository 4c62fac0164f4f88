"""What every generator of phantoms shares."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from pydantic import Field

from phantomsim.phantoms.contrast import Enhancement, Injection
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.texture import Texture
from phantomsim.phantoms.textured import textured
from phantomsim.physics.rng import Key
from phantomsim.spec import Spec


class PhantomSpec(Spec):
    """A generator of phantoms: a subclass says what a body is made of; texture and injections are for all."""

    textures: tuple[Texture, ...] = Field(default=(), description="texture inside tissues, one each")
    injection: Injection | None = Field(default=None, description="contrast agent or tracer, seen as time goes on")

    @abstractmethod
    def generate(self, key: Key) -> Phantom:
        """Make a phantom without texture and injection; all that is random about it comes from `key`."""

    def phantom(self, key: Key) -> Phantom:
        """Make one phantom, with its texture and injection; all that is random about it comes from `key`."""
        made = textured(self.generate(key), self.textures, key)
        return made if self.injection is None else replace(made, enhancement=Enhancement(self.injection))
