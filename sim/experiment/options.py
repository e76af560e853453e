"""The experiment that the options of the command line describe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.errors import UserError
from sim.experiment.description import Experiment, in_parts, joined, read_table


def experiment_of(options: Mapping[str, Any], file: Path | None = None) -> Experiment:
    """`options` by the names of the fields, whichever part they are in; they win over those of a TOML `file`.

    `timing` says only whether runs are timed. Raises UserError.
    """
    flat = {name: value for name, value in options.items() if value is not None and value is not False}
    timed = flat.pop("timing", False)
    settings, table = in_parts(flat), read_table(file) if file else {}
    if timed:
        settings.setdefault("timing", {})
    elif "timing" in settings and "timing" not in table:
        raise UserError(f"experiment: {next(iter(settings['timing']))} has no effect without timing; give timing too")
    return Experiment(**joined(table, settings))
