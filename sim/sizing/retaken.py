"""Which codec times of a trace were taken again (`cswap trace time`), and how far apart the processes were."""

from __future__ import annotations

from contextlib import suppress

from sim.errors import USER_ERRORS
from sim.plugins import COMPRESSORS
from sim.sizing.kept import recall
from sim.sizing.sizing import TIMES, kept_under
from sim.sizing.spread import Spread, as_meta
from workloads.traces.parquet import PAGES_FILE
from workloads.traces.trace import Trace


def spreads(trace: Trace) -> dict[str, Spread]:
    """By codec, of the times in use: kept in the user's cache for a trace with contents, else stored with the trace.

    Of the codecs that a trace does not store, those with their default parameters are looked for. The pages are taken
    for what the header promises.
    """
    found = {}
    for codec in dict.fromkeys([*trace.sizes_codecs(), *(COMPRESSORS.names() if trace.content else ())]):
        with suppress(*USER_ERRORS):  # a codec that this cswap does not have, sizes that are damaged
            spec, meta = _kept(trace, codec) if trace.content else _stored(trace, codec)
            if spread := Spread.of(meta):
                found[spec] = spread
    return found


def _kept(trace: Trace, codec: str) -> tuple[str, dict[str, str]]:
    compressor = COMPRESSORS.make(codec)
    file = trace.header.files.get(PAGES_FILE) if trace.path else ""
    arrays = recall(kept_under(trace, compressor, file)) or {}
    return compressor.spec, as_meta(arrays[TIMES].tolist()) if TIMES in arrays else {}


def _stored(trace: Trace, codec: str) -> tuple[str, dict[str, str]]:
    sizes = trace.sizes(codec)
    return codec, sizes.meta if sizes else {}
