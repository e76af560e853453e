"""The frames of a result's folder, read and held against its provenance."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import UserError, one_line
from sim.results.saving import FRAMES, MARK, ON_DEMAND
from sim.timing.latency import RUN, SETTING
from workloads.traces.digests import digest_file

if TYPE_CHECKING:
    import pandas as pd

TEXTS = (
    *(*RUN, "mapping", "arrivals", "device", "costs", "codec_costs", "codec_times"),
    *("operation", "part", "counter", "price", "moment", "policy", "digest", "error"),
)

KEYS: dict[str, tuple[str, ...]] = {
    "density": RUN,
    "timeline": (*RUN, "event"),
    "counters": (*RUN, "counter"),
    "mm_stat": (*RUN, "moment"),
    "latency": (*RUN, *SETTING, "operation", "part"),
    "sizes": ("trace", "compressor", "bytes"),
    "classes": (*RUN, "class_size"),
    "timing": (*RUN, *SETTING, "counter"),
    "sensitivity": (*RUN, *SETTING, "price", "value", "operation"),
    "events": (),  # by their order
}
UNTIMED = ("trace", "compressor", "operation", "part")  # keys of latencies where only the codecs are timed


def read_frames(folder: Path, files: object) -> dict[str, pd.DataFrame]:
    """All frames, by name; `files` are the digests that the provenance has, as read. Raises UserError."""
    import pandas as pd

    if not isinstance(files, Mapping):
        raise UserError(f"{folder / MARK}: files={files!r:.40}, not their digests; run the experiment again")
    whole = any((folder / f"{name}.parquet").exists() for name in FRAMES)
    frames = {}
    for name in (*FRAMES, *ON_DEMAND):
        path = folder / f"{name}.{'parquet' if whole else 'csv'}"
        if not path.exists() and (not whole or (name in ON_DEMAND and path.name not in files)):
            frames[name] = pd.DataFrame()
            continue
        try:
            if files and digest_file(path) != files.get(path.name):
                raise UserError(f"{path}: is not the file that {MARK} tells of; run the experiment again")
            frames[name] = pd.read_parquet(path) if whole else read_csv(path)
        except (ValueError, OSError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"{path}: {wrong_with(path, error)}; run the experiment again") from error
        check_columns(path, name, frames[name], "run the experiment again")
    if all(frame.empty for frame in frames.values()):
        raise UserError(f"{folder}: has no frame of a result; run the experiment again")
    return frames


def wrong_with(path: Path, error: Exception) -> str:
    """What an error says of a frame's file, without its name and a remedy, which are told once."""
    return one_line(error).removeprefix(f"{path}: ").removeprefix("file: ").partition("; ")[0]


def check_columns(path: Path, name: str, frame: pd.DataFrame, remedy: str) -> None:
    """Raise UserError if a frame lacks a column that tells its rows apart."""
    needed = () if frame.empty else UNTIMED if name == "latency" else KEYS.get(name, ())
    if missing := [key for key in needed if key not in frame]:
        raise UserError(f"{path}: has no column {missing[0]}; {remedy}")


def read_csv(source: Path | io.BytesIO) -> pd.DataFrame:
    """Names are texts, whatever they look like; numbers are right to the last bit."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv

    data = source.read_bytes() if isinstance(source, Path) else source.getvalue()
    if not data.strip():  # an empty frame without columns
        return pd.DataFrame()
    options = csv.ConvertOptions(column_types=dict.fromkeys(TEXTS, pa.string()), strings_can_be_null=False)
    read: pd.DataFrame = csv.read_csv(source, convert_options=options).to_pandas()
    return read
