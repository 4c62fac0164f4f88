"""The library: ``tissues.toml``, read once and turned into SI."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from phantomsim.physics.errors import RecipeError
from phantomsim.tissues.tissue import Acoustic, Mr, Optical, Perfusion, Pet, Relaxation, Tissue

Table = dict[str, Any]


@cache
def table() -> Table:
    """Return the file as it stands, in its own units."""
    return tomllib.loads((files("phantomsim.tissues") / "tissues.toml").read_text("utf-8"))


def names() -> list[str]:
    """Return the name of every tissue and material, in the order of the table."""
    return list(table()["tissue"])


@cache
def get(name: str) -> Tissue:
    """Return a tissue of the library.

    Raises
    ------
    RecipeError
        If there is none of that name, naming the nearest one.
    """
    if name not in table()["tissue"]:
        near = get_close_matches(name, names(), 1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "phantomsim.tissues.names() lists them all"
        raise RecipeError(f"unknown tissue {name!r}; {hint}")
    row = table()["tissue"][name]
    xray = row["xray"]
    return Tissue(
        name=name,
        title=row["name"],
        category=row["category"],
        density=xray["density_g_cm3"] * 1e3,
        mass_fractions=xray["mass_fractions"],
        sources=_sources(xray),
        mr=_mr(row["mr"]) if "mr" in row else None,
        acoustic=_acoustic(row["acoustic"]) if "acoustic" in row else None,
        optical=_optical(row["optical"]) if "optical" in row else None,
        pet=_pet(row["pet"]) if "pet" in row else None,
        perfusion=_perfusion(row["perfusion"]) if "perfusion" in row else None,
    )


def citation(source: str) -> str:
    """Return the citation behind a source's key.

    Raises
    ------
    RecipeError
        If the key is unknown.
    """
    sources: dict[str, str] = table()["sources"]
    if source not in sources:
        raise RecipeError(f"unknown source {source!r}; known sources: {', '.join(sources)}")
    return sources[source]


def _sources(table: Table) -> tuple[str, ...]:
    source = table["source"]
    return (source,) if isinstance(source, str) else tuple(source)


def _provenance(table: Table) -> Table:
    return {"sources": _sources(table), "grade": table["grade"]}


def _mr(table: Table) -> Mr:
    relaxation = tuple(
        Relaxation(tesla, *(1e-3 * table[f"{time}_ms_{field}"] for time in ("t1", "t2", "t2star")))
        for field, tesla in (("1p5T", 1.5), ("3T", 3.0))
        if f"t1_ms_{field}" in table
    )
    return Mr(
        proton_density=table["pd"],
        susceptibility=1e-6 * table["chi_ppm"],
        relaxation=relaxation,
        diffusion=1e-9 * table.get("adc_um2_ms", 0.0),
        fat_fraction=table.get("fat_fraction", 0.0),
        **_provenance(table),
    )


def _acoustic(table: Table) -> Acoustic:
    return Acoustic(
        sound_speed=table["c_m_s"],
        density=table["rho_kg_m3"],
        attenuation=table["alpha0_db_mhzy_cm"],
        attenuation_power=table["alpha_power"],
        backscatter=table["backscatter_db_rel_liver"],
        nonlinearity=table.get("b_over_a"),
        **_provenance(table),
    )


def _optical(table: Table) -> Optical:
    return Optical(
        reduced_scattering_500nm=1e2 * table["musp500_per_cm"],
        scatter_power=table["scatter_power"],
        anisotropy=table["g"],
        refractive_index=table["n"],
        blood_fraction=table["blood_frac"],
        oxygen_saturation=table["so2"],
        water_fraction=table["water_frac"],
        fat_fraction=table["fat_frac"],
        grueneisen=table["grueneisen_37c"],
        **_provenance(table),
    )


def _pet(table: Table) -> Pet:
    rates = None
    if "fdg_K1_per_min" in table:
        k1, k2, k3, k4 = (table[f"fdg_{k}_per_min"] / 60 for k in ("K1", "k2", "k3", "k4"))
        rates = (k1, k2, k3, k4)
    return Pet(
        fdg_suv=table["fdg_suv_60min"],
        fdg_suv_deviation=table["fdg_suv_sd"],
        psma11_suv=table.get("psma11_suv_60min"),
        fdg_rates=rates,
        fdg_blood_fraction=table.get("fdg_vb"),
        **_provenance(table),
    )


def _perfusion(table: Table) -> Perfusion:
    return Perfusion(
        flow=table["flow_ml_min_100ml"] / 6000,
        blood_volume=table["blood_volume"],
        permeability=table["permeability_ml_min_100ml"] / 6000,
        interstitial_volume=table["interstitial_volume"],
        portal_fraction=table.get("portal_fraction", 0.0),
        **_provenance(table),
    )
