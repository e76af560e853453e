"""The trace a user means: a folder, a shipped sample or a generator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import UserError
from sim.spec import build, parse_spec

if TYPE_CHECKING:
    from workloads import Trace


def open_input(text: str) -> Trace:
    """Open an existing path, else the sample of that name, else what the generator spec describes.

    Raises TraceError, SpecError, or UserError naming the samples and generators there are.
    """
    from workloads import GENERATORS, open_sample, open_trace, sample_names

    if Path(text).exists():
        return open_trace(text)
    if text in sample_names():
        return open_sample(text)
    if text.partition(":")[0].strip() in GENERATORS:
        name, settings = parse_spec(text)
        return build(GENERATORS[name], settings, name).trace()
    raise UserError(
        f"{text}: there is no such trace; give a folder NAME.cswap, a sample ({', '.join(sample_names())}) "
        f"or a generator ({', '.join(GENERATORS)})"
    )
