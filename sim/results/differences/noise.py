"""How far clocks may be off: from what the provenances tell of the codecs' times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

Pair = tuple[str, str]  # of A and B


def same_times(one: Mapping[str, Any], other: Mapping[str, Any], trace: Pair, codec: Pair) -> bool:
    """Whether the modelled times of both rest on the same times of the codec, so that no chance is in them."""
    times = [said_of(about, "sizes", trace[i], codec[i]).get("times") for i, about in enumerate((one, other))]
    return times[0] is not None and times[0] == times[1]


def noise(one: Mapping[str, Any], other: Mapping[str, Any], trace: Pair, codec: Pair, parts: Iterable[str]) -> float:
    """The logarithm by which times that were taken for either may differ by chance; NaN if that is not known."""
    spreads = [said_of(about, "codec_spread", trace[i], codec[i]) for i, about in enumerate((one, other))]
    return sum(_width(spread, parts) for spread in spreads)


def _width(spread: Mapping[str, Any], parts: Iterable[str]) -> float:
    """The largest of the parts: the medians of the processes that took them lie so far apart."""
    bounds = [spread.get(f"{part}_p50_us") for part in parts]
    if not all(isinstance(bound, list) and len(bound) == 2 and bound[0] > 0 for bound in bounds):
        return math.nan
    return max(math.log(high / low) for low, high in (bound for bound in bounds if bound))


def said_of(about: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """What a provenance says under nested keys; empty if it does not."""
    found: Any = about
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
