"""The command line: what commands write, exit codes, and that a mistake costs five lines and no file."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phantomsim import cli
from phantomsim.commands import making, storing
from phantomsim.commands.pictures import picture_store
from phantomsim.dataset.recipe import Recipe
from phantomsim.physics.errors import RecipeError, ResourceError
from tests.kinds import RECIPE, register

BRITTLE = RECIPE.replace('kind = "blobs"', 'kind = "blobs"\nbrittle = true')


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    register(monkeypatch)
    monkeypatch.setattr(making, "picture_store", lambda root: {})  # seconds of matplotlib; one test puts it back
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(RECIPE)


def run(*arguments: str) -> int:
    """Run a command and return its exit code."""
    before, sys.argv = sys.argv, ["phantomsim", *arguments]
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.argv = before
    return 0


def tree(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and "markers" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def generate(*more: str) -> int:
    return run("generate", "small.toml", "--workers", "0", "--shard-size", "4", *more)


def test_list_names_every_kind_with_a_line(capsys):
    assert run("list", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["phantoms"] == {"blobs": "Blobs of tissue."}
    assert "ct-low-dose" in found["recipes"]
    assert found["recipes"]["ct-low-dose"].startswith("Low-dose CT")
    assert run("list") == 0
    assert "blobs  " in capsys.readouterr().out


def test_init_copies_a_recipe_and_overwrites_nothing(capsys):
    assert run("init", "ct-low-dose") == 0
    assert Path("ct-low-dose.toml").read_text().startswith("# Low-dose CT")
    assert run("init", "ct-low-dose") == 2
    assert run("init", "ct-low-dos") == 2
    assert "did you mean 'ct-low-dose'" in capsys.readouterr().err


def test_validate_tells_what_is_in_a_recipe(capsys):
    assert run("validate", "small.toml", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["digest"] == Recipe.from_text(RECIPE).digest
    assert found["pairs"] == [["image.low", "truth.mu"]]


def test_a_wrong_recipe_costs_a_few_lines_exit_2_and_no_file(capsys):
    Path("bad.toml").write_text(RECIPE.replace("diameter_mm", "diametre_mm"))
    for command in ("validate", "plan", "preview", "generate"):
        assert run(command, "bad.toml") == 2
        out, err = capsys.readouterr()
        assert not out
        assert err == "error: phantom.diametre_mm: no such field here; did you mean 'diameter_mm'?\n"
    assert sorted(os.listdir()) == ["bad.toml", "small.toml"]


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(place=st.integers(0, len(RECIPE) - 1), struck=st.integers(0, 9), added=st.text(max_size=3))
def test_any_change_of_a_recipe_is_valid_or_exit_2_in_five_lines_with_nothing_written(capsys, place, struck, added):
    text = RECIPE[:place] + added + RECIPE[place + struck :]
    Path("changed.toml").write_bytes(text.encode(errors="surrogatepass"))
    code = run("validate", "changed.toml")
    err = capsys.readouterr().err
    try:
        Recipe.load("changed.toml")
    except RecipeError:
        assert code == 2
        assert 1 <= len(err.splitlines()) <= 5
        assert "Traceback" not in err
    else:
        assert code == 0
    assert sorted(os.listdir()) == ["changed.toml", "small.toml"]


def test_unknown_options_and_commands_exit_2():
    assert run("generate") == 2
    assert run("generat") == 2
    assert run("generate", "small.toml", "--workers", "-1") == 2


def test_plan_tells_shards_bytes_and_time_and_writes_nothing(capsys):
    assert run("plan", "small.toml", "--json", "--shard-size", "4") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["samples"], found["shards"], found["samples_per_shard"]) == (20, 5, 4)
    assert found["bytes_per_sample"]["image/low"] == 64 * 64 * 4
    assert found["bytes"] > 0
    assert run("plan", "small.toml") == 0
    assert "20 in " in capsys.readouterr().out
    assert os.listdir() == ["small.toml"]


def test_plan_refuses_what_the_disk_cannot_hold(capsys, monkeypatch):
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    assert run("plan", "small.toml") == 5
    assert "need" in capsys.readouterr().err
    assert generate() == 5
    assert not [path for path in Path("small.zarr").rglob("*") if "image" in path.parts]


def test_generate_ends_with_the_paths_of_store_preview_and_report(capsys, monkeypatch):
    monkeypatch.setattr(making, "picture_store", picture_store)
    assert generate("--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert Path(found["store"]) == Path("small.zarr").absolute()
    assert Path(found["preview"]).read_bytes().startswith(b"\x89PNG")
    assert "<html" in Path(found["report"]).read_text()
    assert (found["samples"], found["shards_made"], found["failed"]) == (20, 5, 0)


def test_generate_makes_nothing_twice(capsys):
    assert generate("--samples", "8") == 0
    assert generate("--samples", "8") == 0
    assert "nothing was missing" in capsys.readouterr().out


def test_generate_grows_a_set(capsys):
    assert generate("--samples", "8") == 0
    assert generate("--samples", "20") == 0
    capsys.readouterr()
    assert run("status", "small.zarr", "--json") == 0
    assert json.loads(capsys.readouterr().out)["done"] == 20


def test_generate_into_another_recipes_set_exits_4(capsys):
    assert generate("--samples", "4") == 0
    Path("small.toml").write_text(RECIPE.replace("seed = 7", "seed = 8"))
    assert generate("--samples", "4") == 4
    assert "write to another store" in capsys.readouterr().err


def test_failed_samples_exit_3_and_status_says_why(capsys):
    Path("small.toml").write_text(BRITTLE)
    assert generate() == 3
    capsys.readouterr()
    assert run("status", "small", "--json") == 0
    failed = json.loads(capsys.readouterr().out)["failed"]
    assert failed
    assert all("there are no blobs" in entry["error"] for entry in failed)
    assert run("status", "small.zarr") == 0
    assert "there are no blobs" in capsys.readouterr().out


def test_preview_shows_the_samples_of_the_set(capsys):
    assert run("preview", "small.toml", "--samples", "2") == 0
    assert capsys.readouterr().out.strip() == "small.png"
    assert Path("small.png").read_bytes().startswith(b"\x89PNG")
    assert run("preview", "small.toml", "--sample", "17", "--out", "one.png") == 0
    assert Path("one.png").exists()


def test_preview_shows_a_phantom_in_every_contrast(capsys):
    assert run("preview", "water-cylinder", "--sample", "1") == 0
    assert capsys.readouterr().out.strip() == "water-cylinder-phantom.png"
    assert Path("water-cylinder-phantom.png").read_bytes().startswith(b"\x89PNG")


def test_preview_of_a_kind_that_needs_a_file_says_what_it_needs(capsys):
    assert run("preview", "nifti-labels") == 2
    assert "needs path, labels" in capsys.readouterr().err


def test_inspect_shows_every_drawn_value_key_and_hash(capsys):
    assert generate() == 0
    capsys.readouterr()
    assert run("inspect", "small", "5", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["parameters"]) == {"phantom.count", "phantom.diameter_mm", "scan.ct.tube.kvp", "take.low.exposure"}
    assert found["key"] == [7, 5]
    assert set(found["crc32c"]) == {"image/low", "truth/mu", "take/low/reading", "phantom/labels"}
    assert run("inspect", "small", "5") == 0
    assert "drawn take.low.exposure" in capsys.readouterr().out
    assert run("inspect", "small", "20") == 2


def test_verify_finds_and_repairs(capsys):
    assert generate() == 0
    before = tree(Path("small.zarr"))
    assert run("verify", "small", "--deep") == 0
    shard = next(Path("small.zarr/image").rglob("c/1/*/*/*"))
    shard.write_bytes(shard.read_bytes()[:-1])
    Path("small.zarr/recipe.toml").write_text("damaged")
    Path("small.zarr/markers/000003.json").unlink()
    capsys.readouterr()
    assert run("verify", "small", "--json") == 4
    found = json.loads(capsys.readouterr().out)
    assert {d["shard"] for d in found["damages"]} == {None, 1}
    assert found["unfinished"] == [3]
    assert run("verify", "small", "--repair", "--json") == 0
    assert json.loads(capsys.readouterr().out)["repaired"]
    assert tree(Path("small.zarr")) == before


def test_repair_without_any_recipe_asks_for_one(capsys):
    assert generate("--samples", "4") == 0
    Path("small.zarr/recipe.toml").unlink()
    Path("small.zarr/zarr.json").unlink()
    assert run("verify", "small", "--repair") == 4
    assert "--recipe" in capsys.readouterr().err
    Path("same.toml").write_text(RECIPE)
    assert run("verify", "small", "--repair", "--recipe", "same.toml") == 0


def test_no_data_set_exits_4(capsys):
    for command in (["status", "none"], ["verify", "none"], ["inspect", "none", "0"], ["report", "none"]):
        assert run(*command) == 4
        assert "holds no data set" in capsys.readouterr().err


def test_report_writes_the_pictures_again(capsys, monkeypatch):
    assert generate("--samples", "4") == 0
    monkeypatch.setattr(storing, "picture_store", lambda root: {"report": root / "report.html"})
    capsys.readouterr()
    assert run("report", "small") == 0
    assert capsys.readouterr().out.strip() == str(Path("small.zarr/report.html").absolute())


def test_a_full_disk_is_one_line_and_exit_5(capsys, monkeypatch):
    def full(*arguments: object, **options: object) -> None:
        raise ResourceError("the disk is full")

    monkeypatch.setattr("phantomsim.dataset.storage.run.run", full)
    assert generate() == 5
    assert capsys.readouterr().err.strip().endswith("error: the disk is full")


def test_stopping_a_run_says_how_to_go_on(capsys, monkeypatch):
    def stopped(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("phantomsim.dataset.storage.run.run", stopped)
    assert generate() == 130
    assert "the same command goes on" in capsys.readouterr().err
