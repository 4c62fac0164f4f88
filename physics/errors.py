"""Errors that a user can act on; everything else is a bug."""


class PhantomsimError(Exception):
    """Any error that phantomsim raises on purpose."""


class RecipeError(PhantomsimError, ValueError):
    """A recipe, or a value in it, that cannot be simulated."""


class ShapeError(PhantomsimError, ValueError):
    """Arrays whose shapes do not fit each other or their grid."""


class UnitError(PhantomsimError, ValueError):
    """A quantity in the wrong unit, or outside the range its unit allows."""


class DeviceError(PhantomsimError, RuntimeError):
    """A device that is not there, or arrays that live on different ones."""


class IntegrityError(PhantomsimError, RuntimeError):
    """Stored data that is damaged or belongs to another recipe."""


class ResourceError(PhantomsimError, RuntimeError):
    """Too little disk, memory or permission for the work that was asked for."""
