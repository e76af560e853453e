from __future__ import annotations

from pathlib import Path

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
    assert batch.kind.tolist() == [0] * count and int(batch.slot[0]) == slot
    assert batch.time_ns is not None and batch.time_ns[0] == time_ns
    assert batch.task is not None and batch.task[0] == task
    with pytest.raises(TraceError, match="line 2"):
        next(batches)
