"""Damage of every kind, found and mended.

``PHANTOMSIM_DAMAGES=100`` does as much of each kind as the data set's acceptance asks for; 25 by default.
"""

import os
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from phantomsim.dataset.storage.durable import LOCK
from phantomsim.dataset.storage.marker import LAYOUT
from phantomsim.dataset.storage.run import run
from phantomsim.dataset.storage.store import open_store
from phantomsim.dataset.storage.verify import repair, verify
from phantomsim.physics.errors import IntegrityError
from tests.phantomsim.dataset.producer import contents, job, make

DAMAGES = int(os.environ.get("PHANTOMSIM_DAMAGES", "25"))
ROUND = 12
"""Damages done before each repair."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    root = tmp_path_factory.mktemp("sound") / "cheap.zarr"
    run(root, job(), shard=2)
    return root


@pytest.fixture
def root(sound, tmp_path):
    return Path(shutil.copytree(sound, tmp_path / "cheap.zarr"))


def flip(file: Path, chance: random.Random) -> None:
    data = bytearray(file.read_bytes())
    bit = chance.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    file.write_bytes(data)


def truncate(file: Path, chance: random.Random) -> None:
    os.truncate(file, chance.randrange(file.stat().st_size))


def delete(file: Path, chance: random.Random) -> None:
    file.unlink()


def swap(file: Path, chance: random.Random) -> list[Path]:
    """Swap a shard's file with that of another shard."""
    kind = file.parent if file.parent.name in {"samples", "markers"} else file.parents[3]
    others = [other for other in kind.rglob("*") if other.is_file() and other.read_bytes() != file.read_bytes()]
    other = chance.choice([other for other in others if other.name != Path(LAYOUT).name])
    first, second = file.read_bytes(), other.read_bytes()
    file.write_bytes(second)
    other.write_bytes(first)
    return [other]


def test_every_damage_is_found_and_mended_to_the_same_bytes(sound, root):
    chance = random.Random(DAMAGES)
    expected = contents(sound)
    plain = sorted(file.relative_to(root) for file in root.rglob("*") if file.is_file())
    plain = [file for file in plain if file.name not in {LOCK, Path(LAYOUT).name}]
    sharded = [file for file in plain if file.parts[0] in {"samples", "markers"} or len(file.parts) > 6]
    kinds = [flip, truncate, delete, swap] * DAMAGES
    chance.shuffle(kinds)
    store = open_store(root)
    for start in range(0, len(kinds), ROUND):
        hurt: set[Path] = set()
        for kind in kinds[start : start + ROUND]:
            intact = [f for f in (sharded if kind is swap else plain) if f not in hurt and (root / f).exists()]
            file = chance.choice(intact)
            others = kind(root / file, chance) or []
            hurt |= {file, *(other.relative_to(root) for other in others)}
        found = verify(root)
        named = {damage.file for damage in found.damages}
        redone = {*found.unfinished, *(damage.shard for damage in found.damages)}
        for file in hurt:
            assert str(file) in named or shard_of(file) in redone, file
        touched = {shard_of(file) for file in hurt} - {None}
        assert redone - {None} == touched  # exactly what is damaged
        assert repair(root, job()) == found
        assert contents(root) == expected
        assert verify(root).sound
    assert open_store(root) == store


def shard_of(file: Path) -> int | None:
    if file.parts[0] in {"samples", "markers"}:
        return int(file.stem)
    return int(file.parts[-4]) if len(file.parts) > 6 or file.parts[-5:-4] == ("c",) else None


def test_a_sound_store_is_left_alone(root):
    before = {file: file.stat().st_mtime_ns for file in root.rglob("*") if file.is_file()}
    found = repair(root, job())
    assert found.sound
    assert found.shards == 10
    assert before == {file: file.stat().st_mtime_ns for file in root.rglob("*") if file.is_file()}


def test_a_lost_layout_is_made_again_from_the_recipe(sound, root):
    (root / LAYOUT).unlink()
    (root / "zarr.json").write_bytes(b"{}")
    (root / "image/low/c/3/0/0/0").unlink()
    (root / "markers/000005.json").unlink()
    assert [damage.file for damage in verify(root).damages] == [LAYOUT]
    with pytest.raises(IntegrityError, match="lost its layout"):
        run(root, job())
    repair(root, job())
    assert contents(root) == contents(sound)
    assert verify(root).sound


def test_a_store_of_which_nothing_can_be_trusted_is_given_up(root):
    (root / LAYOUT).write_bytes(b"x")
    shutil.rmtree(root / "markers")
    (root / "markers").mkdir()
    with pytest.raises(IntegrityError, match="delete it"):
        repair(root, job())


def test_files_that_do_not_belong_are_found_and_removed_but_a_report_beside_zarr_json_stays(sound, root):
    (root / "report.html").write_text("mine")
    strange = ["image/low/c/77/0/0/0", "samples/000099.jsonl", "markers/000099.json", "image/evil/zarr.json"]
    for name in strange:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"0")
    assert sorted(damage.file for damage in verify(root).damages) == sorted(strange)
    repair(root, job())
    assert contents(root) == contents(sound) | {"report.html": contents(root)["report.html"]}


def test_a_folder_in_place_of_a_file_is_mended(sound, root):
    file = root / "image/low/c/3/0/0/0"
    file.unlink()
    file.mkdir()
    assert [damage.problem for damage in verify(root).damages] == ["is missing"]
    repair(root, job())
    assert contents(root) == contents(sound)


def test_deep_verification_makes_samples_again(root):
    found = verify(root, job(), deep=5)
    assert found.sound
    assert found.regenerated == 5
    other = replace(job(), make=_shifted)
    found = verify(root, other, deep=20)
    (damage,) = found.damages
    assert damage.problem == "sample 7 comes out differently: attributes, crc32c, parameters"


def _shifted(index: int):
    return replace(make(8), subject="subject 3", truths=make(7).truths) if index == 7 else make(index)


def test_a_shard_that_comes_out_differently_is_not_passed_off_as_repaired(root):
    (root / "image/low/c/3/0/0/0").unlink()
    with pytest.raises(IntegrityError, match="other bytes than its marker told"):
        repair(root, replace(job(), make=_shifted))


def test_another_recipe_does_not_repair(root):
    (root / "image/low/c/3/0/0/0").unlink()
    with pytest.raises(IntegrityError, match="was made from recipe"):
        repair(root, job(size=16))


def test_an_unfinished_set_is_reported_as_such(tmp_path):
    root = tmp_path / "a.zarr"
    run(root, job(4), shard=2)
    run(root, replace(job(8), samples=8), progress=None)
    for name in ("markers/000003.json", "samples/000003.jsonl"):
        (root / name).unlink()
    found = verify(root)
    assert (found.unfinished, found.damages, found.sound) == ((3,), (), False)


def test_no_data_set_is_an_error(tmp_path):
    with pytest.raises(IntegrityError, match="holds no data set"):
        verify(tmp_path)
