import re
from functools import partial
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from phantomsim.dataset.job import Job
from phantomsim.dataset.storage.run import run
from phantomsim.dataset.view import open_contents
from phantomsim.physics.errors import IntegrityError
from phantomsim.report.facts import facts_of
from phantomsim.report.html import duration_text, number_text, size_text, write_report
from phantomsim.report.stored import stored_samples

RECIPE = 'name = "made-up"   # a < b & c\nseed = 7\n'
DIGEST = "0123456789abcdef" * 4


class Tags(HTMLParser):
    """Collects the tags and addresses of a page."""

    def __init__(self, page):
        super().__init__()
        self.open, self.addresses, self.names = [], [], set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.names.add(tag)
        self.addresses += [value for name, value in attributes if name in {"src", "href", "data", "action"}]
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def make(index, sample, broken=()):
    if index in broken:
        raise ValueError("no room for <lesion> 3")
    return sample(index)


def job_of(make_sample, samples, pairs, broken=()):
    stored = tuple({"input": p.input, "target": p.target, "extra": list(p.extra)} for p in pairs)
    splits = {"train": 0.8, "test": 0.2}
    return Job("made-up", RECIPE, DIGEST, samples, partial(make, sample=make_sample, broken=broken), 7, splits, stored)


@pytest.fixture(scope="module")
def store(tmp_path_factory, make_sample, pairs):
    root = tmp_path_factory.mktemp("set") / "made-up.zarr"
    run(root, job_of(make_sample, 6, pairs, broken=(4,)))
    return root


@pytest.fixture(scope="module")
def page(store, tmp_path_factory):
    return write_report(store, tmp_path_factory.mktemp("page") / "report.html").read_text(encoding="utf-8")


def test_the_report_is_one_file_that_loads_nothing(page):
    tags = Tags(page)
    assert not tags.open
    assert not tags.names & {"script", "link", "iframe", "object"}
    assert tags.addresses
    assert all(address.startswith("data:image/png;base64,") for address in tags.addresses)
    assert not re.search(r"https?://|@import|url\(", page)


def test_the_report_says_what_the_set_is_and_how_it_was_made(page, store):
    marker = open_contents(store).markers[5]
    for needed in (
        "made-up",
        DIGEST,
        "6 of 6",
        "a < b & c",
        "take/low/line_integral",
        "float32",
        "uint8",
        "RMSE",
        'Pairs("made-up.zarr", split="train")',
        "phantomsim generate",
        marker.environment["libraries"]["numpy"],
        marker.written,
    ):
        assert needed in unescape(page)


def test_the_lines_that_load_the_set_do_so(page, store, monkeypatch):
    monkeypatch.chdir(store.parent)
    (lines,) = re.findall(r'<pre id="load">(.*?)</pre>', page, re.DOTALL)
    found = {}
    exec(unescape(lines), found)
    assert found["pairs"][0][0].shape == (1, 24, 24)
    assert found["data"]["image/low"].dims == ("sample", "z", "y", "x")


def test_failed_samples_are_listed_and_every_text_is_escaped(page):
    assert "no room for &lt;lesion&gt; 3" in page
    assert "--sample 4" in page
    assert "a &lt; b &amp; c" in page


def test_the_facts_add_up(store):
    facts = facts_of(store)
    assert (facts.n_done, len(facts.valid), len(facts.failed)) == (6, 5, 1)
    assert sum(facts.splits.values()) == 5
    assert facts.n_bytes == sum(file.stat().st_size for file in store.rglob("*") if _in_a_shard(file))
    hounsfield = next(array for array in facts.arrays if array.layout.name == "truth/hu")
    assert (hounsfield.moments.minimum, hounsfield.moments.maximum) == (-1000.0, 800.0)
    assert sorted(set(facts.drawn["scan.ct.tube.kvp"])) == [100, 120]


def _in_a_shard(file):
    return file.suffix == ".jsonl" or (file.is_file() and file.parent.name == "0")


def test_samples_come_back_as_they_were_made(store, make_sample):
    facts = facts_of(store)
    (again,) = stored_samples(facts.store, facts.valid[2:3])
    made = make_sample(2)
    assert again.parameters == made.parameters
    assert again.truths == made.truths
    for name, array in made.arrays.items():
        assert again.arrays[name].dims == array.dims
        assert set(again.arrays[name].coords) == set(array.coords)
        np.testing.assert_array_equal(again.arrays[name].values, array.values)
        assert {key: again.arrays[name].attrs[key] for key in array.attrs} == array.attrs
        for axis in array.coords:
            assert again.arrays[name][axis].attrs == array[axis].attrs


def test_a_set_without_pairs_or_with_every_sample_failed_still_gets_a_report(tmp_path, make_sample):
    run(tmp_path / "bare.zarr", job_of(make_sample, 2, ()))
    bare = write_report(tmp_path / "bare.zarr", tmp_path / "bare.html").read_text(encoding="utf-8")
    assert "The recipe names none." in bare
    run(tmp_path / "bare.zarr", job_of(make_sample, 4, (), broken=(2, 3)))
    assert "2</b><span>samples failed" in write_report(tmp_path / "bare.zarr", tmp_path / "b.html").read_text("utf-8")


def test_a_folder_without_a_data_set_is_refused(tmp_path):
    with pytest.raises(IntegrityError):
        write_report(tmp_path, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_numbers_read_as_people_write_them():
    assert [size_text(n) for n in (0, 1536, 3 * 2**30)] == ["0 B", "1.5 KiB", "3 GiB"]
    assert [number_text(v) for v in (-1.23456, float("nan"))] == ["−1.235", "–"]
    assert [duration_text(s) for s in (0.1234, 200, 7500)] == ["0.123 s", "3 min 20 s", "2 h 5 min"]
