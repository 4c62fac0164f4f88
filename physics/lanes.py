"""Eight neighbours in memory at once, where LLVM would not vectorise a loop of eight by itself.

Numba runs LLVM without its straight-line vectoriser, and loops as short as eight are unrolled before the loop
vectoriser sees them: the scalar code that remains is 2 to 3 times slower. The vector type used here is LLVM's own, so
it becomes one AVX, two SSE or two NEON registers, whatever the machine has.
"""

from __future__ import annotations

from typing import Any, Final

from phantomsim.physics.kernel import SIMULATED, Real

LANES: Final = 8


def _add_blend(total: Any, to: Any, line: Any, first: Any, second: Any, weights: tuple[Real, Real]) -> None:
    for lane in range(LANES):
        total[to + lane] += weights[0] * line[first + lane] + weights[1] * line[second + lane]


def _add_blend_in_vectors(  # type: ignore[no-untyped-def]
    typing_context, total, to, line, first, second, weights
):
    from llvmlite import ir
    from numba import types

    real = line.dtype
    signature = types.void(total, types.uint64, line, types.uint64, types.uint64, types.UniTuple(real, 2))

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        total, to, line, first, second, weights = arguments
        scalar = context.get_value_type(real)
        vector = ir.VectorType(scalar, LANES)
        size = context.get_abi_sizeof(scalar)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)

        def address(array: Any, kind: Any, index: Any) -> Any:
            data = context.make_array(kind)(context, builder, array).data
            return builder.bitcast(builder.gep(data, [index], inbounds=True), vector.as_pointer())

        def load(pointer: Any) -> Any:
            value = builder.load(pointer)
            value.align = size
            return value

        def spread(value: Any) -> Any:
            single = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), zeros)

        target = address(total, signature.args[0], to)
        result = load(target)
        for number, index in enumerate((first, second)):
            value = load(address(line, signature.args[2], index))
            weight = spread(builder.extract_value(weights, number))
            product = builder.fmul(weight, value, flags=("contract",))
            result = builder.fadd(result, product, flags=("contract",))
        builder.store(result, target).align = size
        return context.get_dummy_value()

    return signature, generate


if SIMULATED:
    add_blend = _add_blend
else:
    from numba.extending import intrinsic

    add_blend = intrinsic(_add_blend_in_vectors)
    add_blend.__doc__ = """Add ``w0 · line[first : first + 8] + w1 · line[second : second + 8]`` to eight of `total`.

    Parameters
    ----------
    total, line
        C-contiguous arrays of one axis and one real type. Indices are not checked.
    to, first, second
        Where the eight begin.
    weights
        The pair ``(w0, w1)``, of the arrays' type.
    """
