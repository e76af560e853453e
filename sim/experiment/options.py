"""The experiment that the options of the command line describe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.errors import FieldError, UserError
from sim.experiment.description import HOME, Experiment, in_parts, joined, read_table


def experiment_of(
    options: Mapping[str, Any], file: Path | None = None, words: Mapping[str, str] | None = None
) -> Experiment:
    """`options` by the names of the fields, whichever part they are in; they win over those of a TOML `file`.

    `timing` says only whether runs are timed. `words` are what the options are called, for errors: what is wrong with
    an option is told in its words, and what is wrong in the file with the file's name. Raises UserError.
    """
    flat = {name: value for name, value in options.items() if value is not None and value is not False}
    words = by_field(words or {})
    timed = flat.pop("timing", False)
    settings, table = in_parts(flat), read_table(file) if file else {}
    if timed:
        settings.setdefault("timing", {})
    elif "timing" in settings and "timing" not in table:
        name = next(iter(settings["timing"]))
        timing = words.get("timing", "timing")
        raise UserError(f"{words.get(name, name)} has no effect without {timing}; give {timing} too")
    try:
        return Experiment(**joined(table, settings))
    except FieldError as error:
        given = {name for part in (settings, *map(settings.get, PARTS_OF)) if isinstance(part, dict) for name in part}
        if error.field in given:
            raise UserError(error.told(words)) from error
        raise UserError(f"{file}: {error}" if file else str(error)) from error


PARTS_OF = ("memory", "machine", "timing")


def by_field(words: Mapping[str, str]) -> dict[str, str]:
    """What options are called, by the fields that they set."""
    return {HOME.get(name, ("", name))[1]: word for name, word in words.items()}
