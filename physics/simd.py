"""Eight neighbours in memory as one value of a CPU loop nest.

Numba runs LLVM without its straight-line vectoriser, and a loop of eight is unrolled before the loop vectoriser sees
it. Here eight neighbours are a value of LLVM's own vector type, which becomes one AVX, two SSE or two NEON registers,
whatever the machine has. Indices count elements from the start of a C-contiguous array and are not checked. The CUDA
simulator, which runs no CPU nest, never calls these.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

LANES: Final = 8


class _Vector(types.Type):
    """Numba's type of eight values of one real type."""

    def __init__(self, real: Any) -> None:
        self.real = real
        super().__init__(name=f"Vector({real})")


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: _Vector) -> None:
        super().__init__(manager, kind, ir.VectorType(manager.lookup(kind.real).get_value_type(), LANES))


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any, vector: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index], inbounds=True), vector.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(typing_context: Any, array: Any, index: Any) -> Any:
    """Return ``array.ravel()[index : index + 8]`` as a vector."""
    kind = _Vector(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index = arguments
        vector = context.get_value_type(kind)
        value = builder.load(_address(context, builder, signature.args[0], array, index, vector))
        value.align = context.get_abi_sizeof(vector.element)
        return value

    return kind(array, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """Write a vector to ``array.ravel()[index : index + 8]``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, value = arguments
        address = _address(context, builder, signature.args[0], array, index, value.type)
        builder.store(value, address).align = context.get_abi_sizeof(value.type.element)
        return context.get_dummy_value()

    return types.void(array, types.int64, value), generate


@intrinsic  # type: ignore[untyped-decorator]
def add(typing_context: Any, a: Any, b: Any) -> Any:
    """Return the sum of two vectors."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments)

    return a(a, b), generate


@intrinsic  # type: ignore[untyped-decorator]
def scale(typing_context: Any, factor: Any, a: Any) -> Any:
    """Return a vector times a real number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        factor, a = arguments
        return builder.fmul(_spread(builder, factor, a.type), a)

    return a(a.real, a), generate


@intrinsic  # type: ignore[untyped-decorator]
def multiply_add(typing_context: Any, factor: Any, a: Any, b: Any) -> Any:
    """Return ``factor * a + b``, rounded once, for a real number and two vectors."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        factor, a, b = arguments
        name = f"llvm.fma.v{LANES}f{8 * context.get_abi_sizeof(a.type.element)}"
        fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(a.type, [a.type] * 3), name)
        return builder.call(fma, [_spread(builder, factor, a.type), a, b])

    return a(a.real, a, b), generate


def _spread(builder: Any, value: Any, vector: Any) -> Any:
    index = ir.IntType(32)
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(index, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(index, LANES), [0] * LANES))
