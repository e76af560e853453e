"""The doors: every place where a stranger's file comes in.

A door's `make(draw, folder)` writes one mutated input below an empty folder; `answer(folder)` gives it to cswap and
raises Refused (right), Wrong, or whatever cswap raised; when it returns, the input was accepted, and its figures true.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from door_decoders import answer_streams, make_streams
from door_imports import answer_import, made, warm_imports
from door_results import answer_compared, answer_result, make_result, sound_result
from door_texts import answer_csv, answer_ops, answer_recorded, make_csv, make_ops, make_recorded, warm_texts
from door_toml import answer_toml, make_toml, warm_toml
from door_traces import answer_trace, bytes_of_trace, forged
from lies import forge_events, forge_header, forge_pages, forge_sizes, forge_types
from reader_examples import EXAMPLES
from sound import sound


class Door(NamedTuple):
    """See the module."""

    make: Callable[[Random, Path], None]
    answer: Callable[[Path], None]


DOORS = {
    "events": Door(forged(forge_events, (True, False)), answer_trace),
    "pages": Door(forged(forge_pages, (False,)), answer_trace),
    "sizes": Door(forged(forge_sizes, (True, False)), answer_trace),
    "header": Door(forged(forge_header, (True, False)), answer_trace),
    "types": Door(forged(forge_types, (True, False)), answer_trace),
    "bytes": Door(bytes_of_trace, answer_trace),
    "csv": Door(make_csv, answer_csv),
    "ops": Door(make_ops, answer_ops),
    "recorded": Door(make_recorded, answer_recorded),
    "experiment": Door(make_toml("experiment"), answer_toml),
    "recipe": Door(make_toml("recipe"), answer_toml),
    "costs": Door(make_toml("costs"), answer_toml),
    "codec-costs": Door(make_toml("codec-costs"), answer_toml),
    "devices": Door(make_toml("devices"), answer_toml),
    "result": Door(make_result, answer_result),
    "compared": Door(make_result, answer_compared),
    "decoders": Door(make_streams, answer_streams),
    **{f"import-{name}": Door(made(name), answer_import) for name in EXAMPLES if name != "csv"},
}


def warm() -> None:
    """Compile what the doors need, on sound inputs, and make these."""
    for times in (True, False):
        for content in (True, False):
            sound(times, content)
    sound_result()
    warm_texts()
    warm_imports()
    warm_toml()
