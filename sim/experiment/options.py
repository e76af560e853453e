"""The experiment that the options of the command line describe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sim.errors import FieldError, UserError
from sim.experiment.description import HOME, PARTS, Experiment, in_parts, joined, read_table
from sim.experiment.places import placed

Options = Mapping[str, Any]
Words = Mapping[str, str]


def experiment_of(options: Options, file: Path | None = None, words: Words | None = None) -> Experiment:
    """`options` by the names of the fields, whichever part they are in; they win over those of a TOML `file`.

    `timing` says only whether runs are timed. `words` are what the options are called, for errors, which are told as by
    `in_words`. Raises UserError.
    """
    settings = _settings(options)
    table = read_table(file) if file else {}
    if "timing" in settings and not options.get("timing") and "timing" not in table:
        name, called = next(iter(settings["timing"])), by_field(words or {})
        timing = called.get("timing", "timing")
        raise UserError(f"{called.get(name, name)} has no effect without {timing}; give {timing} too")
    with in_words(options, file, words):
        return Experiment(**joined(table, settings))


@contextmanager
def in_words(options: Options, file: Path | None = None, words: Words | None = None) -> Iterator[None]:
    """Have what is wrong with an experiment told in the words of who set it: the options, or the file with its name."""
    settings, called = _settings(options), by_field(words or {})
    with placed(file, settings):
        try:
            yield
        except FieldError as error:
            parts = (settings, *map(settings.get, PARTS))
            given = {name for part in parts if isinstance(part, dict) for name in part}
            if error.field in given or (file is None and error.field in called):
                raise UserError(error.told(called)) from error
            raise UserError(f"{file}: {error}" if file else str(error)) from error


def _settings(options: Options) -> dict[str, Any]:
    """Those that are given, in their parts."""
    flat = {name: value for name, value in options.items() if value is not None and value is not False}
    timed = flat.pop("timing", False)
    settings = in_parts(flat)
    if timed:
        settings.setdefault("timing", {})
    return settings


def by_field(words: Words) -> dict[str, str]:
    """What options are called, by the fields that they set."""
    return {HOME.get(name, ("", name))[1]: word for name, word in words.items()}
