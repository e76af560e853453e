"""How far clocks may be off: from what the provenances tell of the codecs' times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any


def noise(
    one: Mapping[str, Any], other: Mapping[str, Any], trace: tuple[str, str], codec: tuple[str, str], parts: Any
) -> float:
    """The logarithm by which figures that rest on these times may differ by chance; NaN if that is not known.

    None where both rest on the same times. `trace` and `codec`: those of either side.
    """
    times = [_of(about, "sizes", trace[i], codec[i]).get("times") for i, about in enumerate((one, other))]
    if times[0] is not None and times[0] == times[1]:
        return 0.0
    spreads = [_of(about, "codec_spread", trace[i], codec[i]) for i, about in enumerate((one, other))]
    return sum(_width(spread, parts) for spread in spreads)


def _width(spread: Mapping[str, Any], parts: Iterable[str]) -> float:
    """The largest of the parts: the medians of the processes that took them lie so far apart."""
    bounds = [spread.get(f"{part}_p50_us") for part in parts]
    if not all(isinstance(bound, list) and len(bound) == 2 and bound[0] > 0 for bound in bounds):
        return math.nan
    return max(math.log(high / low) for low, high in (bound for bound in bounds if bound))


def _of(about: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """What a provenance says under nested keys; empty if it does not."""
    found: Any = about
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
