"""The pictures of a report: those of the result, as data in the page, each with words for who does not see it."""

from __future__ import annotations

import io
import tempfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sim.results.pictures import draw_into

if TYPE_CHECKING:
    from sim.results.result import Result

DOTS = 1.5  # of a picture, for one of the page: sharp on dense screens and on paper
COLOURS = 128  # of a picture: a third of the bytes, and no difference to be seen

# What a picture shows, and the chart it is.
TITLES = {
    "density": ("Density by allocator", "bars by allocator, a panel for each trace and compressor, beside the ideal"),
    "timeline": ("Pages held over time", "lines by allocator, a panel for each trace and compressor"),
    "sizes": ("Compressed sizes", "histograms of the compressed sizes, over the size classes of zsmalloc"),
    "classes": ("Waste by size class", "bars of what each size class wastes at the fullest moment"),
    "ram": ("Swapping by size of RAM", "lines by way of swapping, falling as RAM grows"),
    "ram-worth": ("Worth in RAM", "lines by way of swapping: MiB that a swap device alone needs more"),
    "memory": ("Who holds the memory", "areas of program, pool and free memory over time"),
    "latency": ("Distributions of latency", "cumulative distributions of page-outs and page-ins by compressor"),
    "latency-parts": ("What latency is made of", "stacked bars of the mean of each part of page-outs and page-ins"),
    "latency-load": ("Latency by load", "lines of latency against load, by compressor"),
    "latency-cpus": ("Latency by CPUs", "lines of latency against the number of CPUs, by allocator"),
}
BY = "density-by-"


class Picture(NamedTuple):
    """A picture in the page: where from, its size there, and words; without `source` it could not be drawn."""

    title: str
    words: str
    source: str = ""
    width: int = 0
    height: int = 0


def pictures(result: Result, report: Callable[[int, int], None]) -> dict[str, Picture]:
    """Every picture of the result by name, drawn as `cswap plot` does; `report` is called with done and total."""
    found = {}
    plots = result.plots()
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, draw) in enumerate(plots.items()):
            report(number, len(plots))
            wrong = draw_into({name: draw}, Path(folder), Path())
            title, chart = _titled(name)
            if wrong:
                found[name] = Picture(title, wrong[0])
            else:
                found[name] = Picture(
                    title, f"{title}: {chart}, of {_of(result)}.", *_data(Path(folder, f"{name}.png"))
                )
    return found


def _titled(name: str) -> tuple[str, str]:
    if name.startswith(BY):
        what = name.removeprefix(BY).replace("_", " ")
        return f"Density by {what}", f"lines of density against {what}"
    return TITLES[name]


def _of(result: Result) -> str:
    """What was run, in words; of a result that may lack its densities."""
    frames = (result.density, result.timeline, result.latency, result.ram, result.sizes, result.classes)
    frame = next((frame for frame in frames if len(frame)), result.density)
    keys = [name for name in ("trace", "allocator", "compressor") if name in frame]
    told = {name: list(dict.fromkeys(map(str, frame[name]))) for name in keys}
    return "; ".join(f"{name}{'s' * (len(names) > 1)} {', '.join(names)}" for name, names in told.items())


def _data(file: Path) -> tuple[str, int, int]:
    """A picture with fewer colours as a data URI, its width and its height in the page."""
    from PIL import Image

    with Image.open(file) as image:
        fewer = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    fewer.save(packed, "PNG", optimize=True)
    width, height = (round(side / DOTS) for side in fewer.size)
    return f"data:image/png;base64,{b64encode(packed.getvalue()).decode()}", width, height
