"""How runs are timed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import FieldError, UserError
from sim.experiment.fields import described, several
from sim.plugins import MAPPINGS

if TYPE_CHECKING:
    from sim.timing.codec_costs import CodecCosts
    from sim.timing.costs import Costs
    from sim.timing.mapping import Mapping
    from sim.timing.setting import Setting

FLAGS = ("sensitivity", "events")
# Columns of the frames only where they are set.
LATER: dict[str, Any] = {"cpu_scale": 1.0, "max_comp_streams": None, "costs": None, "codec_costs": None}


class Point(NamedTuple):
    """What a run is timed under: the setting, its costs, those of its codecs, columns of the frames besides its own."""

    setting: Setting
    costs: Costs
    codec_costs: CodecCosts | None
    columns: dict[str, Any]


@dataclass(frozen=True)
class Timing:
    """Every run is timed under every setting (`sim.timing.setting`): all fields but the last two may hold several
    values, and are swept.

    `swap_devices` are the devices behind the frontend; `costs` a file that overrides the default costs; `codec_costs` a
    file with the codec times of another machine. `sensitivity` times every run at both ends of the range of each
    assumed cost too; `events` keeps every operation. Raises UserError for what is empty or makes no sense.
    """

    mappings: tuple[str | Mapping, ...] = ("copy",)
    cpus: tuple[int, ...] = (2,)
    arrivals: tuple[str, ...] = ("closed",)
    loads: tuple[float, ...] = (1.0,)
    swap_devices: tuple[str, ...] = ("nvme",)
    page_clusters: tuple[int, ...] = (0,)
    cpu_scale: tuple[float, ...] = (1.0,)
    max_comp_streams: tuple[int | None, ...] = (None,)
    costs: tuple[str | None, ...] = (None,)
    codec_costs: tuple[str | None, ...] = (None,)
    sensitivity: bool = False
    events: bool = False

    def __post_init__(self) -> None:
        for name in FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise UserError(f"timing: {name}={getattr(self, name)!r}; give true or false")
        for field in fields(self):
            if field.name not in FLAGS:
                several(self, field.name, "timing", *[MAPPINGS.expand] * (field.name == "mappings"))
        for name, good in (("mappings", _is_mapping), ("arrivals", _is_text), ("swap_devices", _is_text)):
            for item in getattr(self, name):
                if not good(item):
                    raise FieldError("timing", f"<{name}> holds {{!r}}; give texts", item)
        files = {"costs": self.costs, "codec_costs": self.codec_costs}
        for name, given in files.items():
            for file in given:
                if file is not None and not isinstance(file, str):
                    raise FieldError("timing", f"<{name}>={{!r}}; give the name of a file", file)
        for name, texts in {"swap_devices": self.swap_devices, **files}.items():
            names = [text and text.rpartition("/")[2] for text in texts]  # as results call them
            if len(set(names)) < len(names):
                told = ", ".join(map(str, texts))
                raise FieldError("timing", f"<{name}> {{}} have equal names; rename a file", told)
        list(self.settings())  # what is wrong there is told here

    def settings(self, seed: int = 0) -> Iterator[Point]:
        """Every setting with its costs. Raises UserError."""
        from sim.timing.setting import Setting

        told = [name for name, usual in LATER.items() if getattr(self, name) != (usual,)]
        known = dict(zip(self.costs, self.all_costs(), strict=True))
        of_codecs = dict(zip(self.codec_costs, self.all_codec_costs(), strict=True))
        own = (self.mappings, self.cpus, self.arrivals, self.loads, self.swap_devices, self.page_clusters)
        values: Any
        for values in product(*own, self.cpu_scale, self.max_comp_streams, self.costs, self.codec_costs):
            *_, scale, streams, file, codecs = values
            later = {"cpu_scale": scale, "max_comp_streams": streams, "costs": (file or "default").rpartition("/")[2]}
            later["codec_costs"] = (codecs or "measured").rpartition("/")[2]
            setting = replace(Setting(*values[:6]), cpu_scale=scale, streams=streams, seed=seed)
            yield Point(setting, known[file], of_codecs[codecs], {name: later[name] for name in told})

    def all_costs(self) -> list[Costs]:
        """The costs of each file. Raises UserError."""
        from sim.timing.costs import read_costs

        return [read_costs(file) for file in self.costs]

    def all_codec_costs(self) -> list[CodecCosts | None]:
        """The codec times of each file, None where they are those of the traces. Raises UserError."""
        from sim.timing.codec_costs import read_codec_costs

        return [None if file is None else read_codec_costs(file) for file in self.codec_costs]

    def device_profiles(self) -> dict[str, Any]:
        """The swap devices in JSON-safe form."""
        from sim.timing.devices import read_device

        return {name: read_device(name).describe() for name in self.swap_devices}

    def describe(self) -> dict[str, Any]:
        """The fields in JSON-safe form."""
        return {field.name: described(getattr(self, field.name)) for field in fields(self)}


def _is_text(item: object) -> bool:
    return isinstance(item, str)


def _is_mapping(item: object) -> bool:
    return isinstance(item, str) or MAPPINGS.covers(type(item))
