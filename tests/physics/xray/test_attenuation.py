import csv
from pathlib import Path

import numpy as np

from phantomsim import tissues
from phantomsim.physics.xray.attenuation import linear_attenuation


def test_attenuation_is_density_times_composition():
    water = tissues.get("water")
    one, two = linear_attenuation(
        [(1000.0, water.mass_fractions), (2000.0, water.mass_fractions)], np.array([40.0, 60.0])
    )
    np.testing.assert_allclose(two, 2 * one)
    np.testing.assert_allclose(one, [26.83, 20.59], rtol=1e-3)  # NIST SRD 126, 1/m


def test_no_material_gives_no_rows():
    assert linear_attenuation([], np.array([40.0, 60.0])).shape == (0, 2)


def test_library_tissues_keep_their_tabulated_attenuation():
    with (Path(__file__).parents[2] / "data" / "attenuation_reference.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if name.startswith("mu_")]
    energy = np.array([float(name[3:].partition("keV")[0]) for name in columns])
    for row in rows:
        tissue = tissues.get(row["key"])
        (mu,) = linear_attenuation([(tissue.density, tissue.mass_fractions)], energy)
        expected = [100 * float(row[name]) for name in columns]
        # 1e-3: six decimals in 1/cm for gases, and hydrogen of plastics corrected since the table was made
        np.testing.assert_allclose(mu, expected, rtol=1e-3, atol=1e-4, err_msg=row["key"])
