"""The lines for files and commands that put an advice into effect.

Sources: zram-generator.conf(5) of 2025 (zram-size and zram-resident-limit in MiB; further algorithms of
compression-algorithm are those of recompression); Documentation/admin-guide/blockdev/zram.rst and mm/zswap.rst, 6.18.
A device takes its algorithms, their parameters and its backing device before disksize, and the rest after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sim.plugins import COMPRESSORS

ZRAM = "/sys/block/zram0"
ZSWAP = "/sys/module/zswap/parameters"
FILES = ("zram-generator.conf", "sysctl", "sh")


def settings(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Lines by `FILES`, from the value of each setting; those of a file that the advice has no use for are left out."""
    found = {
        "zram-generator.conf": [*_generator(values)] if values.get("frontend") == "zram" else [],
        "sysctl": [f"vm.page-cluster = {values['vm.page-cluster']}"],
        "sh": [*{"zram": _zram, "zswap": _zswap}.get(values.get("frontend", ""), _none)(values)],
    }
    return {name: lines for name, lines in found.items() if lines}


def _codec(spec: str) -> tuple[str, str]:
    """What the kernel calls a compressor, and its parameters as algorithm_params takes them."""
    codec = COMPRESSORS.make(spec)
    return codec.name, codec.algorithm_params


def _second(values: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The algorithm of recompression, its parameters and the type of pages."""
    told = str(values["recompression"])
    return None if told == "no" else (*_codec(told.rpartition(", ")[0]), told.rpartition(", ")[2])


def _mib(size: str) -> str:
    return size.removesuffix("M")


def _generator(values: Mapping[str, Any]) -> Iterator[str]:
    yield "# sizes are what these traces need and 5% more: add what other programs need"
    yield "[zram0]"
    yield f"zram-size = {_mib(values['disksize'])}"
    yield f"zram-resident-limit = {_mib(values['mem_limit'])}"
    algorithms = [_codec(values["codec"])] if values["codec"] else []
    second = _second(values)
    algorithms += [second[:2]] if second else []
    told = [name + (f"({parameters.replace(' ', ',')})" if parameters else "") for name, parameters in algorithms]
    if told:
        yield f"compression-algorithm = {' '.join(told)}" + (f" (type={second[2]})" if second else "")
    if values["writeback"] != "no":
        yield "# Only a partition of its own will do; a service has to write to idle and writeback, as below."
        yield "writeback-device = /dev/disk/by-partuuid/..."


def _zram(values: Mapping[str, Any]) -> Iterator[str]:
    second = _second(values)
    yield "set -e  # zram0 must be a device that nobody uses"
    if values["codec"]:
        name, parameters = _codec(values["codec"])
        yield f"# if this fails, the kernel lacks it: cat {ZRAM}/comp_algorithm"
        yield f"echo {name} > {ZRAM}/comp_algorithm"
        if parameters:
            yield f'echo "algo={name} {parameters}" > {ZRAM}/algorithm_params'
    if second:
        yield f'echo "algo={second[0]} priority=1" > {ZRAM}/recomp_algorithm'
        if second[1]:
            yield f'echo "priority=1 {second[1]}" > {ZRAM}/algorithm_params'
    if values["writeback"] != "no":
        yield f"echo /dev/disk/by-partuuid/... > {ZRAM}/backing_dev"
    yield f"echo {values['disksize']} > {ZRAM}/disksize"
    yield f"echo {values['mem_limit']} > {ZRAM}/mem_limit"
    yield "mkswap /dev/zram0"
    yield "swapon -d -p 100 /dev/zram0"
    yield f"sysctl vm.page-cluster={values['vm.page-cluster']}"
    if second or values["writeback"] != "no" or values["compaction"] == "yes":
        yield "# now and then, by a timer:"
    if second:
        yield f'echo "type={second[2]}" > {ZRAM}/recompress'
    if values["writeback"] != "no":
        yield from (f"echo {kind} > {ZRAM}/writeback" for kind in str(values["writeback"]).split("+"))
    if second or values["writeback"] != "no":
        yield f"echo all > {ZRAM}/idle"
    if values["compaction"] == "yes":
        yield f"echo 1 > {ZRAM}/compact"


def _zswap(values: Mapping[str, Any]) -> Iterator[str]:
    yield f"# besides a swap device of {values['disksize']} or more"
    if values["codec"]:
        yield f"echo {_codec(values['codec'])[0]} > {ZSWAP}/compressor"
    yield f"echo {values['max_pool_percent']} > {ZSWAP}/max_pool_percent"
    yield f"echo Y > {ZSWAP}/enabled"
    yield f"sysctl vm.page-cluster={values['vm.page-cluster']}"


def _none(values: Mapping[str, Any]) -> Iterator[str]:
    yield "# a swap device alone; neither zram nor zswap"
    yield f"sysctl vm.page-cluster={values['vm.page-cluster']}"
