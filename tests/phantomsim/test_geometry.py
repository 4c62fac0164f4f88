from __future__ import annotations

import json
from math import pi
from typing import Any

import numpy as np
import pytest

from phantomsim.geometry import from_json, to_json
from phantomsim.physics.errors import IntegrityError
from phantomsim.physics.xray.cone import ConeBeam
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan

SCANS = [
    ParallelBeam(n_views=180, n_columns=367, pitch=0.1 + 0.2, first_angle=1 / 3, column_offset=0.25),
    FanBeam(n_views=984, n_columns=888, pitch=1.024e-3, detector="flat", angular_range=2 * pi / 3),
    FanBeam(n_views=984, n_columns=888, pitch=1.024e-3, source_to_axis=0.57, source_to_detector=1.04),
]


@pytest.mark.parametrize("scan", SCANS)
def test_a_geometry_reads_back_bit_for_bit(scan: PlanarScan) -> None:
    z = np.array([-0.1, 1 / 3, 2e-17])
    again, z_again = from_json(to_json(scan, z))
    assert again == scan
    assert type(again) is type(scan)
    np.testing.assert_array_equal(z_again, z)


def changed(**fields: Any) -> str:
    table = json.loads(to_json(SCANS[1], [0.0])) | fields
    return json.dumps({name: value for name, value in table.items() if value != "absent"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", r"kind must be one of parallel, fan, cone, views, got \[\]"),
        (changed(kind="bowl"), "kind must be one of parallel, fan, cone, views, got 'bowl'"),
        (changed(pitch="absent"), "lacks 'pitch'"),
        (changed(pitsch=1.0), "unknown field 'pitsch'; did you mean 'pitch'"),
        (changed(n_views=3.5), "n_views must be of type int, got 3.5"),
        (changed(n_views=True), "n_views must be of type int, got True"),
        (changed(pitch="1 mm"), "pitch must be of type float"),
        (changed(first_angle=float("nan")), "first_angle must be finite"),
        (changed(pitch=-1.0), "impossible: pitch must be positive"),
        (changed(detector="round"), "detector must be one of flat, arc, got 'round'"),
        (changed(z="absent"), "z must be a list of finite row positions"),
        (changed(z=[0.0, None]), "z must be a list"),
        (changed(z=[]), "z must be a list"),
        (changed(z=[float("inf")]), "z must be a list"),
    ],
)
def test_damaged_text_is_named(text: str, message: str) -> None:
    with pytest.raises(IntegrityError, match=message):
        from_json(text)


CONE = ConeBeam(
    6, 4, 5, 1e-3, 0.1 + 0.2, 0.5, 0.9, surface="cylinder", angular_range=1.0, spots=((1e-3, 0.0), (1 / 3, 0.0))
)


def test_a_cone_beam_reads_back_bit_for_bit() -> None:
    again, _ = from_json(to_json(CONE, [0.0]))
    assert again == CONE


def test_views_read_back_bit_for_bit() -> None:
    views = CONE.views()
    again, _ = from_json(to_json(views, [0.0]))
    for name in ("source", "centre", "row_axis", "column_axis", "rows", "columns", "surface", "radius"):
        np.testing.assert_array_equal(getattr(again, name), getattr(views, name))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"source": [[0, 0, "x"]]}, "source must be finite numbers"),
        ({"rows": [[1.0]]}, "rows must be finite numbers"),
        ({"source": [[0.0, 0.0], [0.0]]}, "rows of one length"),
        ({"surface": "bowl"}, "surface must be one of flat, cylinder, sphere"),
        ({"row_axis": [[0.0, 0.0, 0.0]] * 6}, "orthonormal"),
    ],
)
def test_wrong_views_are_named(fields: dict[str, Any], message: str) -> None:
    table = json.loads(to_json(CONE.views(), [0.0])) | fields
    with pytest.raises(IntegrityError, match=message):
        from_json(json.dumps(table))
