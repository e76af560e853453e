"""The frames of a result's folder, read and held against its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import UserError, one_line
from sim.results.saving import FRAMES, MARK, ON_DEMAND
from workloads.traces.digests import digest_file

if TYPE_CHECKING:
    import pandas as pd

# Numbers to the last bit; a name may be "NA".
CSV: dict[str, Any] = {"float_precision": "round_trip", "keep_default_na": False, "na_values": [""]}


def read_frames(folder: Path, files: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """All frames, by name; `files` are the digests that the provenance has. Raises UserError."""
    import pandas as pd

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
            frames[name] = pd.read_parquet(path) if whole else _read_csv(path)
        except (ValueError, OSError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"{path}: {one_line(error)}; run the experiment again") from error
    if all(frame.empty for frame in frames.values()):
        raise UserError(f"{folder}: has no frame of a result; run the experiment again")
    return frames


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(path, **CSV) if path.read_bytes().strip() else pd.DataFrame()
