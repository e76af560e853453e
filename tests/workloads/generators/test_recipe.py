"""Recipes: the same bytes on every machine, shares as told, and errors that name the key."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trace_kit

from sim.errors import UserError
from sim.experiment.importing import import_trace
from sim.experiment.inputs import open_input
from sim.plugins import GENERATORS
from workloads import GIVEN, OUT, Trace, TraceError, save_trace, verify
from workloads.generators.contents import CONTENTS
from workloads.generators.patterns import PATTERNS
from workloads.generators.recipe import Recipe, recipe_names

EVERYTHING = (
    """\
events = 4_000
slots = 900
seed = 5
seconds = 2.5
[contents.corpus]
kind = "corpus"
from = "redis-sample"
[contents.text]
kind = "text"
words = 300
pages = 70
[contents.bits]
kind = "entropy"
bits = 5.3
[contents.ratio]
kind = "entropy"
ratio = [0.2, 0.7]
[contents.pointers]
kind = "pointers"
[contents.zero]
kind = "zero"
[contents.same]
kind = "same"
"""
    + """\
[[patterns]]
kind = "zipf"
exponent = 1.2
duplicates = 0.1
tasks = 3
[[patterns]]
kind = "phases"
events = 2.5
contents = { text = 0.7, zero = 0.3 }
"""
    + "".join(
        f'[[patterns]]\nkind = "{kind}"\nstart = 0.5\nend = 2\n' for kind in PATTERNS if kind not in ("zipf", "phases")
    )
)
SIZES = """\
events = 3_000
slots = 500
[contents.usr-lib]
kind = "sizes"
sizes = "usr-lib"
[contents.build]
kind = "sizes"
mean = 694
sd = 474
[contents.own]
kind = "sizes"
counts = [1, 0, 3]
low = 100
width = 50
[contents.zero]
kind = "zero"
[contents.same]
kind = "same"
[[patterns]]
kind = "lifo"
"""
SMALL = '[contents.heap]\nkind = "pointers"\n[[patterns]]\nkind = "zipf"\n'


def written(folder: Path, text: str, name: str = "mine") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def made(folder: Path, text: str, **fields: Any) -> Trace:
    return Recipe(file=str(written(folder, text)), **fields).trace()


@pytest.mark.parametrize(
    ("text", "digest"),
    [(EVERYTHING, "f1d61c4df28285fa3efb166b0283fd9a"), (SIZES, "830b9c568206cef47a3fc67df74c7b32")],
    ids=["everything", "sizes"],
)
def test_a_recipe_gives_the_same_bytes_everywhere(tmp_path: Path, text: str, digest: str) -> None:
    trace = made(tmp_path, text)
    trace_kit.check(trace)
    assert trace.digest == digest
    assert set(CONTENTS) == {"corpus", "text", "entropy", "pointers", "zero", "same", "sizes"}, "all are in here"


@pytest.mark.parametrize(
    ("name", "digest"),
    [("desktop", "bc60c96b65892728ec2e067fcbde0f11"), ("usr-lib", "9bf1b417457528239b4f98cef5e26f3b")],
)
def test_shipped_recipes(name: str, digest: str) -> None:
    assert recipe_names() == ["desktop", "usr-lib"]
    recipe = Recipe(file=name, events=3_000, slots=700)
    assert recipe.trace().digest == digest
    assert recipe.described.totals.about


def test_equal_configuration_gives_equal_traces(tmp_path: Path) -> None:
    config = Recipe(file=str(written(tmp_path, EVERYTHING)))
    same = GENERATORS.find("recipe")(**json.loads(json.dumps(asdict(config))))
    assert trace_kit.same_traces(config.trace(), same.trace())
    assert config.trace().digest != replace(config, seed=6).trace().digest
    source = config.trace().source
    assert source["recipe"]["patterns"][0]["exponent"] == 1.2
    assert {key: source[key] for key in ("file", "events", "slots", "seed", "page_size")} == {
        "file": "mine.toml",
        "events": 4_000,
        "slots": 900,
        "seed": 5,
        "page_size": 4096,
    }


def test_what_the_spec_says_replaces_what_the_file_says(tmp_path: Path) -> None:
    file = written(tmp_path, SMALL)
    trace = open_input(f"recipe:file={file},events=500,slots=60,seed=1,page_size=16K")
    assert (trace.n_events, trace.page_size, trace.source["seed"]) == (500, 16384, 1)
    assert trace.n_slots <= 60
    assert open_input(str(file)).digest == open_input(f"recipe:file={file}").digest


def test_patterns_have_their_parts(tmp_path: Path) -> None:
    two = '[[patterns]]\nkind = "growth"\nevents = 3\nslots = 0.25\ntasks = 5\nstart = 1\nend = 2.5\n'
    events = trace_kit.all_events(made(tmp_path, f"events = 8_000\nslots = 1_000\nseconds = 4\n{SMALL}{two}"))
    assert events.task is not None
    assert events.time_ns is not None
    second = events.slot >= 800
    assert second.sum() == 6_000
    assert np.array_equal(second, events.task > 1)
    assert set(events.task[second].tolist()) == {2, 3, 4, 5, 6}
    assert (np.diff(events.time_ns) >= 0).all()
    assert 1e9 <= events.time_ns[second].min() <= events.time_ns[second].max() < 2.5e9
    assert events.time_ns.max() > 3.9e9
    assert sum(np.diff(second.astype(int)) != 0) > 1_000, "they mix"


def test_contents_and_duplicates_have_their_shares(tmp_path: Path) -> None:
    text = f'events = 20_000\nslots = 2_000\n[contents.zero]\nkind = "zero"\n{SMALL}'
    text = text.replace('"pointers"', '"pointers"\npages = 50_000') + "contents = { zero = 0.2, heap = 0.8 }\n"
    trace = made(tmp_path, text + "duplicates = 0.25\n")
    events = trace_kit.all_events(trace)
    page = events.page[events.kind == OUT]
    assert [bool(p.any()) for p in trace.page_array(0, trace.unique_pages)].count(False) == 1
    zero = int(np.flatnonzero(~trace.page_array(0, trace.unique_pages).any(axis=1))[0])
    assert (page == zero).mean() == pytest.approx(0.2, abs=0.03)
    heap = page[page != zero]
    assert 1 - len(np.unique(heap)) / len(heap) == pytest.approx(0.25, abs=0.02)


def test_sizes_alone_make_a_trace_without_contents(tmp_path: Path) -> None:
    trace = made(tmp_path, SIZES)
    sizes = trace.sizes(GIVEN)
    assert not trace.content
    assert sizes is not None
    assert sizes.zero_filled.sum() == 1
    assert sizes.same_filled.sum() == 17


def test_it_is_written_to_disk_as_it_is(tmp_path: Path) -> None:
    for number, text in enumerate((EVERYTHING, SIZES)):
        file, out = written(tmp_path, text), tmp_path / f"{number}.cswap"
        trace = import_trace(file, out)
        verify(out)
        assert trace.digest == open_input(str(file)).digest
    with pytest.raises(UserError, match="leave --pages out"):
        import_trace(file, tmp_path / "x.cswap", pages="gcc-sample")


def test_a_copy_is_as_private_as_its_corpus(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(range(256)) * 32)
    (tmp_path / "secret.bin").chmod(0o600)
    text = SMALL.replace('"pointers"', '"corpus"\nfrom = "secret.bin"')
    trace = save_trace(made(tmp_path, text, events=50, slots=9), tmp_path / "copy.cswap")
    assert trace.path is not None
    assert trace.path.stat().st_mode & 0o077 == 0


WRONG = [
    ("", "contents: is missing; give it"),
    ("contents = {}\npatterns = []", "contents: are none; give at least one table [contents.NAME]"),
    (SMALL.partition("[[")[0] + "", "patterns: is missing; give it"),
    (f"evnts = 3\n{SMALL}", "evnts: is unknown (did you mean events?); known are about, events,"),
    (f"events = 0\n{SMALL}", "events: is 0; give a whole number >= 1"),
    (f'events = "many"\n{SMALL}', "events: is a text; give a whole number"),
    (f"events = 1.5\n{SMALL}", "events: is a number; give a whole number"),
    (f"events = 10_000_000_000\n{SMALL}", "events: is 10000000000; give a whole number <= 100000000"),
    (f"page_size = 1000\n{SMALL}", "page_size=1000: is out of range; give a power of two from 64 to 65536"),
    (f"seconds = nan\n{SMALL}", "seconds: is nan; give a number >= "),
    (SMALL.replace("zipf", "zpif"), "patterns[0].kind: 'zpif' is unknown (did you mean zipf?); use one of zipf,"),
    (SMALL.replace('kind = "zipf"', ""), "patterns[0].kind: is missing; use one of zipf,"),
    (SMALL.replace("pointers", "points"), "contents.heap.kind: 'points' is unknown (did you mean pointers?)"),
    (f"{SMALL}exponant = 2", "patterns[0].exponant: is unknown (did you mean exponent?)"),
    (f"{SMALL}exponent = -1", "patterns[0].exponent: is -1; give a number >= 0"),
    (f"{SMALL}overwrite = 0.9\nfree = 0.2", "patterns[0]: overwrite and free are more than 1 together; give shares"),
    (f'{SMALL}contents = "heep"', "patterns[0].contents: 'heep' is none (did you mean heap?); use one of heap"),
    (f"{SMALL}contents = {{ heap = -1 }}", "patterns[0].contents"),
    (f"{SMALL}contents = 3", "patterns[0].contents: is a whole number; give a text or a table"),
    (f"{SMALL}start = 70", "patterns[0]: is from 70 to 60 s of 60; give start < end, and end up to seconds"),
    (f"{SMALL}end = 61", "patterns[0]: is from 0 to 61 s of 60"),
    (f'slots = 3\n{SMALL}[[patterns]]\nkind = "fork"', "patterns[1].slots: gets 1 of the 3 slots, and needs 5; give"),
    (SMALL.replace('"pointers"', '"entropy"'), "contents.heap: bits or ratio says how random the bytes are; give one"),
    (SMALL.replace('"pointers"', '"entropy"\nratio = [0.5, 0.2]'), "contents.heap: ratio is out of range; give"),
    (SMALL.replace('"pointers"', '"entropy"\nratio = true'), "contents.heap.ratio: is bool; give a number"),
    (SMALL.replace('"pointers"', '"corpus"'), "contents.heap.from: is missing; give it"),
    (SMALL.replace('"pointers"', '"corpus"\nfrom = "gc-sample"'), "(did you mean gcc-sample?)"),
    (
        f"page_size = 8192\n{SMALL.replace('pointers', 'corpus')}".replace('"corpus"', '"corpus"\nfrom = "gcc-sample"'),
        "",
    ),
    (SMALL.replace('"pointers"', '"corpus"\nfrom = "mine.toml"'), "which are no whole pages of 4096; give whole pages"),
    (SMALL.replace('"pointers"', '"sizes"'), "contents.heap: one distribution is needed; give sizes, or counts, or"),
    (SMALL.replace('"pointers"', '"sizes"\nsizes = "usr-lip"'), "sizes 'usr-lip' is unknown (did you mean usr-lib?)"),
    (SMALL.replace('"pointers"', '"sizes"\nmean = 100'), "contents.heap: mean and sd belong together; give both"),
    (
        SMALL.replace('"pointers"', '"sizes"\nmean = 100\nsd = 2000'),
        "sd 2000 is too large for mean 100; give a smaller",
    ),
    (SMALL.replace('"pointers"', '"sizes"\nmean = 100\nsd = 1'), "sd 1 is too small; give at least 64, or counts"),
    (SMALL.replace('"pointers"', '"sizes"\ncounts = [0]'), "counts are all 0; give at least one that is not"),
    (SMALL.replace('"pointers"', '"sizes"\ncounts = [1, -1]'), "contents.heap.counts[1]: is "),
    (SMALL.replace('"pointers"', '"sizes"\ncounts = [1, 1]\nwidth = 4000'), "counts reach 8000 bytes, a page has 4096"),
    (
        f'[contents.s]\nkind = "sizes"\nsizes = "gutenberg"\n{SMALL}',
        "contents.heap: has bytes, and contents.s sizes alone",
    ),
    (
        f'{SMALL}[contents.s]\nkind = "sizes"\nsizes = "gutenberg"\n',
        "contents.heap: has bytes, and contents.s sizes alone",
    ),
    (SMALL.replace('"pointers"', f'"corpus"\nfrom = "{"x" * 5000}"'), "contents.heap: from 'xxx"),
    (SMALL.replace("heap", "x" * 5000).replace("pointers", "y"), "contents.xxx"),
    ("contents = 3\npatterns = 4", "contents: is a whole number; give a table"),
    ("[[patterns]\n", "is not TOML: "),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        made(tmp_path, text)
    said = str(caught.value)
    assert message in said
    assert "; " in said
    assert "\n" not in said
    assert len(said) < 2_000
    assert said.startswith((f"{tmp_path / 'mine.toml'}: ", "recipe: page_size"))


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(TraceError, match=r"deskop: recipe: there is none \(did you mean desktop\?\); give a TOML file"):
        Recipe(file="deskop")
