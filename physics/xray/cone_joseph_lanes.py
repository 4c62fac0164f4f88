"""Eight neighbours that look up eight different places of a short stretch of memory, for CPU loop nests.

Where samples follow each other in nearly even steps, eight of them read from the same 8 or 16 numbers. On processors
with AVX2 these are loaded whole and permuted in registers, which takes a fraction of eight single reads; elsewhere the
eight are read one by one. See `phantomsim.physics.simd` for the vectors.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from phantomsim.physics.kernel import Real, scalar
from phantomsim.physics.simd import LANES, _address, _spread, _Vector

INDEX: Final = ir.IntType(32)
INDICES: Final = ir.VectorType(INDEX, LANES)


@cache
def _can_permute() -> bool:
    return bool(llvm.get_host_cpu_features().get("avx2"))


def _call(builder: Any, name: str, kind: Any, *arguments: Any) -> Any:
    function = ir.FunctionType(kind, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), arguments)


def _suffix(kind: Any) -> str:
    return f"v{LANES}f{64 if isinstance(kind.element, ir.DoubleType) else 32}"


@intrinsic  # type: ignore[untyped-decorator]
def ramp(typing_context: Any, first: Any, step: Any) -> Any:
    """Return ``first + step * lane`` for the lanes 0 to 7."""
    kind = _Vector(first)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = context.get_value_type(kind)
        first, step = (_spread(builder, value, vector) for value in arguments)
        lanes = ir.Constant(vector, [float(lane) for lane in range(LANES)])
        return _call(builder, f"llvm.fma.{_suffix(vector)}", vector, lanes, step, first)

    return kind(first, first), generate


@intrinsic  # type: ignore[untyped-decorator]
def whole(typing_context: Any, a: Any) -> Any:
    """Return the largest whole numbers that do not exceed a vector's."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (a,) = arguments
        return _call(builder, f"llvm.floor.{_suffix(a.type)}", a.type, a)

    return a(a), generate


@intrinsic  # type: ignore[untyped-decorator]
def subtract(typing_context: Any, a: Any, b: Any) -> Any:
    """Return the difference of two vectors."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fsub(*arguments)

    return a(a, a), generate


@intrinsic  # type: ignore[untyped-decorator]
def product_sum(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """Return ``a * b + c`` of three vectors, rounded once."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        return _call(builder, f"llvm.fma.{_suffix(kind)}", kind, *arguments)

    return a(a, a, a), generate


@intrinsic  # type: ignore[untyped-decorator]
def shift(typing_context: Any, a: Any, distance: Any) -> Any:
    """Return a vector plus a real number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, distance = arguments
        return builder.fadd(a, _spread(builder, distance, a.type))

    return a(a, a.real), generate


@intrinsic  # type: ignore[untyped-decorator]
def hat(typing_context: Any, a: Any) -> Any:
    """Return ``max(0, 1 - |a|)``, the weight of linear interpolation at distance `a`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (a,) = arguments
        size = _call(builder, f"llvm.fabs.{_suffix(a.type)}", a.type, a)
        inside = builder.fsub(ir.Constant(a.type, [1.0] * LANES), size)
        zero = ir.Constant(a.type, [0.0] * LANES)
        return builder.select(builder.fcmp_ordered(">", inside, zero), inside, zero)

    return a(a), generate


def _look_up(n_registers: int) -> Any:
    def look_up(typing_context: Any, array: Any, start: Any, places: Any) -> Any:
        kind = _Vector(array.dtype)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, start, places = arguments
            vector = context.get_value_type(kind)
            index = builder.fptosi(places, INDICES)
            if n_registers and _can_permute() and isinstance(vector.element, ir.FloatType):
                return _permuted(context, builder, signature.args[0], array, start, index, vector)
            return _single(context, builder, signature.args[0], array, start, index, vector)

        def _permuted(context: Any, builder: Any, kind: Any, array: Any, start: Any, index: Any, vector: Any) -> Any:
            found = []
            for register in range(n_registers):
                at = builder.add(start, ir.Constant(start.type, register * LANES))
                values = builder.load(_address(context, builder, kind, array, at, vector))
                values.align = context.get_abi_sizeof(vector.element)
                found.append(_call(builder, "llvm.x86.avx2.permps", vector, values, index))
            if n_registers == 1:
                return found[0]
            beyond = builder.icmp_signed(">", index, ir.Constant(INDICES, [LANES - 1] * LANES))
            return builder.select(beyond, found[1], found[0])

        def _single(context: Any, builder: Any, kind: Any, array: Any, start: Any, index: Any, vector: Any) -> Any:
            result = ir.Constant(vector, ir.Undefined)
            data = context.make_array(kind)(context, builder, array).data
            for lane in range(LANES):
                lane_index = ir.Constant(INDEX, lane)
                at = builder.add(start, builder.sext(builder.extract_element(index, lane_index), start.type))
                result = builder.insert_element(result, builder.load(builder.gep(data, [at])), lane_index)
            return result

        return kind(array, types.int64, kind), generate

    return look_up


_in_one, _in_two, _anywhere = (intrinsic(_look_up(n)) for n in (1, 2, 0))


@scalar
def look_up(array: Any, start: int, places: Any, step: Real) -> Any:
    """Return ``array.ravel()[start + places]`` for whole places of a `ramp` that rises by `step` from less than 1."""
    if step <= np.float32(1):
        return _in_one(array, start, places)
    if step <= np.float32(2):
        return _in_two(array, start, places)
    return _anywhere(array, start, places)
