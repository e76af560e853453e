from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from workloads.errors import TraceError
from workloads.progress import silent
from workloads.readers.base import Facts, Reader
from workloads.readers.blkparse import Blkparse
from workloads.readers.input import Head, Input
from workloads.readers.trace_events import TraceEvents

STYLES = {
    "253,5   10      465     0.023521173   116  Q   W 868648 + 8 [kswapd0]": (Blkparse, 108581, 23521173, 116, 1),
    "kswapd0-68    [001] ....  1201.100231: block_bio_queue: 253,0 WS 868648 + 8 [kswapd0]": (
        TraceEvents,
        108581,
        1201100231000,
        68,
        1,
    ),
    "kthrotld/8-323   [008] 10929769.540355: block_bio_queue: 8,0 WS 1260299776 + 1024 [kthrotld/8]": (
        TraceEvents,
        157537472,
        10929769540355000,
        323,
        128,
    ),
    "kswapd0-68    [001]  1201.100231: block_bio_queue:      253,0 WS 868648 + 8 [kswapd0]": (
        TraceEvents,
        108581,
        1201100231000,
        68,
        1,
    ),
    "kswapd0    68 [001]  1201.100231: block:block_rq_issue: 253,0 WS 4096 () 868648 + 8 none,0,0 [kswapd0]": (
        TraceEvents,
        108581,
        1201100231000,
        68,
        1,
    ),
}


@pytest.mark.parametrize("line", STYLES)
def test_reads_each_style_and_names_a_line_cut_off(tmp_path: Path, line: str) -> None:
    form, slot, time_ns, task, count = STYLES[line]
    reader: Reader = form()
    file = tmp_path / "a.txt"
    file.write_text(f"{line}\n{line[:-12]}\n")
    assert form.sniff(Head.of(file))
    facts: Facts = {}
    batches = reader.read(Input(file, 4096, silent), facts)
    batch = next(batches)
    assert batch.kind.tolist() == [0] * count
    assert batch.slot[0] == slot
    assert batch.time_ns is not None
    assert batch.time_ns[0] == time_ns
    assert batch.task is not None
    assert batch.task[0] == task
    with pytest.raises(TraceError, match="line 2"):
        next(batches)


@pytest.mark.parametrize("name", ["ftrace.txt.gz", "perf-script.txt.gz"])
def test_reads_what_real_tools_recorded(name: str) -> None:
    file = Path(__file__).parents[2] / "golden" / "readers" / name
    pages = Counter[str]()
    for line in gzip.decompress(file.read_bytes()).decode().splitlines():
        if found := re.search(r"block_bio_queue: 253,1 ([RWD])\w* \d+ \+ (\d+)", line):
            pages[found[1]] += int(found[2]) // 8
    facts: Facts = {}
    kinds = np.concatenate([batch.kind for batch in TraceEvents().read(Input(file, 4096, silent), facts)])
    assert [int((kinds == kind).sum()) for kind in (0, 1)] == [pages["W"], pages["R"]]
    assert 0 < (kinds == 2).sum() <= pages["D"]
    assert (facts["device"], facts["action"]) == ("253:1", "block_bio_queue")


def test_names_the_devices_of_a_file_with_several(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    line = "kswapd0-68 [001] .... 1.5: block_bio_queue: {} WS 8 + 8 [kswapd0]\n"
    file.write_text(line.format("253,0") * 2 + line.format("8,0"))
    with pytest.raises(TraceError, match=r"line 3.*253:0 \(2\), 8:0 \(1\); .*trace-events:device=253:0"):
        list(TraceEvents().read(Input(file, 4096, silent), {}))
