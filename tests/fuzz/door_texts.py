"""Texts: CSV to import, sequences of allocations, recorded rows."""

from __future__ import annotations

import csv
import gzip
import json
import math
import tempfile
from functools import cache
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import zstandard
from command import Wrong, command, rows
from door_traces import check_run
from forging import EVENTS
from mutate import mutated_bytes, mutated_text
from sound import PAGE, RUN, pages, sound


@cache
def sound_csv() -> str:
    """Events as `cswap import csv` takes them."""
    names = ("out", "in", "free", "compact", "lost")
    events = pq.read_table(sound(True, True) / EVENTS).to_pydict()
    lines = ["ts_ns,kind,pid,slot,page"]
    for kind, slot, page, time, task in zip(
        *(events[n] for n in ("kind", "slot", "page", "time_ns", "task")), strict=True
    ):
        lines.append(f"{time},{'out0' if kind == 0 and page == 0 else names[kind]},{task},{slot},{max(page, 0)}")
    return "\n".join(lines) + "\n"


def make_csv(draw: Random, folder: Path) -> None:
    """Mutate the text of the events, or the bytes of the pages, plain or compressed."""
    text, content = sound_csv(), pages().tobytes()
    if draw.random() < 0.8:
        text = mutated_text(text, draw)
    else:
        content = mutated_bytes(content, draw)
    data = text.encode("utf-8", "surrogatepass")
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}
    suffix = draw.choice(("", "", "", ".gz", ".zst"))
    packed = pack[suffix](data)
    if suffix and draw.random() < 0.7:
        packed = mutated_bytes(packed, draw)
    (folder / f"e.csv{suffix}").write_bytes(packed)
    (folder / "p.bin").write_bytes(content)


def answer_csv(folder: Path) -> None:
    """Import; what was imported must be what the csv module reads."""
    file, trace = next(folder.glob("e.csv*")), folder / "t.cswap"
    command("import", "csv", file, "--pages", folder / "p.bin", "-o", trace)
    command("trace", "verify", trace)
    found = rows(command("run", trace, *RUN))
    check_run(trace, found)
    if file.suffix == ".csv":
        given = csv.reader(file.read_bytes().decode("utf-8-sig").split("\n"))
        names = [name.strip() for name in next(given)]
        kinds = [row[names.index("kind")].strip() for row in given if "".join(row).strip()]
        counts = json.loads((trace / "trace.json").read_text())["counts"]
        for kind in ("out", "in", "free", "compact", "lost"):
            want = kinds.count(kind) + (kinds.count("out0") if kind == "out" else 0)
            if counts[kind] != want:
                raise Wrong(f"{counts[kind]} events {kind} imported of {want}")


ALLOCATORS = ("ideal", "ideal", "zsmalloc", "zbud", "z3fold", "xvmalloc")


def warm_texts() -> None:
    """Compile the allocators."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(sound_ops())
        file.flush()
        for name in set(ALLOCATORS):
            command("ops", file.name, "-a", name)


@cache
def sound_ops() -> str:
    """A sequence of allocations."""
    draw, live, lines = Random(2), set[int](), []
    for step in range(120):
        key = draw.randrange(40)
        if step % 20 == 19:
            lines += ["c", "s"]
        elif key in live:
            lines.append(f"f {key}")
            live.remove(key)
        else:
            lines.append(f"a {key} {draw.randrange(1, PAGE + 1)}")
            live.add(key)
    return "\n".join([*lines, "s", ""])


def make_ops(draw: Random, folder: Path) -> None:
    """Mutate the text of a sequence, or its compressed bytes."""
    text = mutated_text(sound_ops(), draw).encode("utf-8", "surrogatepass")
    if draw.random() < 0.2:
        (folder / "o.gz").write_bytes(mutated_bytes(gzip.compress(sound_ops().encode()), draw))
    else:
        (folder / "o.ops").write_bytes(text)
    (folder / "words").write_text(draw.choice(ALLOCATORS))


def answer_ops(folder: Path) -> None:
    """The rows of `ideal` must be those of a dict."""
    file, allocator = next(folder.glob("o.*")), (folder / "words").read_text()
    printed = command("ops", file, "-a", allocator)
    if allocator == "ideal" and file.suffix == ".ops":
        done, live, want = 0, dict[str, int](), ["ops,live,bytes,pages,failed"]
        for line in file.read_bytes().decode().split("\n"):
            words = line.split()
            done += bool(words) and words[0] in "afc"
            if words[:1] == ["a"]:
                live[str(int(words[1]))] = int(words[2])
            elif words[:1] == ["f"]:
                del live[str(int(words[1]))]
            elif words[:1] == ["s"]:
                total = sum(live.values())
                want.append(f"{done},{len(live)},{total},{math.ceil(total / PAGE)},0")
        if printed.splitlines() != want:
            raise Wrong(f"prints {printed[-60:]!r} instead of {want[-1]!r}")


def make_recorded(draw: Random, folder: Path) -> None:
    """Mutate operations or rows of `mm_stat`."""
    ops = "".join(f"w {i % 16} {i % 9}\n" if i % 7 else f"d {i % 16}\n" for i in range(200)) + "c\n"
    of_mm_stat = "orig_data_size,compr_data_size,mem_used_total,mem_limit,mem_used_max,same_pages,pages_compacted"
    names = f"ops_done,{of_mm_stat},huge_pages,huge_pages_since\n"
    expect = names + "100,1,1,1,0,1,8,0,2,2\n200,1,1,1,0,1,8,0,2,2\n"
    if draw.random() < 0.6:
        ops = mutated_text(ops, draw)
    else:
        expect = mutated_text(expect, draw)
    (folder / "o.ops").write_bytes(ops.encode("utf-8", "surrogatepass"))
    (folder / "e.csv").write_bytes(expect.encode("utf-8", "surrogatepass"))
    (folder / "p.bin").write_bytes(pages().tobytes())


def answer_recorded(folder: Path) -> None:
    """Hold them against each other; they differ, which is no refusal."""
    words = ("--pages", folder / "p.bin", "--ops", folder / "o.ops", "--expect", folder / "e.csv")
    command("validate", "recorded", "-c", "lz4", *words, ok=(0, 1))
