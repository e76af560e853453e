"""Plug-ins: none forgotten, none twice, and what is said of a wrong name or setting; the same in every family."""

from __future__ import annotations

import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint
from pkgutil import resolve_name
from typing import Any

import pytest

import allocators
import sim
import workloads
from allocators import Allocator, NoMemory
from sim import register
from sim.errors import SpecError
from sim.parameters import parameters
from sim.plugins import ALLOCATORS, COMPRESSORS, FAMILIES, FRONTENDS, GENERATORS, MAPPINGS, READERS, Registry, place

WORDS = {"allocator", "compressor", "frontend", "mapping", "generator", "reader", "policy"}
each = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.word)


class Whole(Allocator):
    """A page an object: as small as a user's allocator can be."""

    name = "whole-pages"

    def __init__(self, most: int = 9) -> None:
        self.held: set[int] = set()
        self.most = most

    def alloc(self, size: int) -> int:
        if len(self.held) >= self.most:
            raise NoMemory("full")
        self.held.add(size)
        return size

    def free(self, handle: int) -> None:
        self.held.remove(handle)

    @property
    def pages(self) -> int:
        return len(self.held)


@pytest.fixture(autouse=True)
def _own_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    for family in FAMILIES:
        monkeypatch.setattr(family, "_registered", {})
        monkeypatch.setitem(family.__dict__, "_offered", {})


def offer(family: Registry[Any], monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    monkeypatch.delitem(family.__dict__, "_offered")
    group = f"cswap.{family.word}s"
    monkeypatch.setattr(
        "sim.plugins.entry_points", lambda group: [EntryPoint(*point, group) for point in points if group in groups]
    )
    groups = {group}


def below(cls: type) -> Iterator[type]:
    for child in cls.__subclasses__():
        yield child
        yield from below(child)


@each
def test_every_concrete_class_is_registered_under_its_name(family: Registry[Any]) -> None:
    for package in (allocators, sim, workloads):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    ours = {
        cls
        for cls in below(resolve_name(family.base))
        if cls.__module__.partition(".")[0] in ("allocators", "sim", "workloads")
        and not inspect.isabstract(cls)
        and "name" in vars(cls)
    }
    assert ours == {family.find(name) for name in family.names()}
    assert [family.find(name).name for name in family.names()] == family.names()
    assert [place(family.find(name)) for name in family.names()] == list(family.built_in.values())


def test_there_are_seven_families() -> None:
    assert {family.word for family in FAMILIES} == WORDS


@each
def test_a_class_of_ones_own(family: Registry[Any]) -> None:
    known = family.names()[0]
    first, second = (type("Cell", (family.find(known),), {"name": "cell"}) for _ in range(2))
    assert register(first) is first
    assert register(second) is second  # a notebook's cell is run twice
    assert family.names()[-1] == "cell"
    assert family.find("cell") is second
    for taken in (known, "cell"):
        other = type("Other", (first,), {"name": taken})
        with pytest.raises(SpecError, match=f"^{family.word} '{taken}' is there already; give yours another name$"):
            register(other)
    assert register(family.find(known)) is family.find(known)


@each
def test_a_name_is_not_known(family: Registry[Any]) -> None:
    name = family.names()[0]
    known = ", ".join(family.names())
    with pytest.raises(SpecError) as caught:
        family.find(name + "x")
    assert str(caught.value) == f"unknown {family.word} '{name}x' (did you mean {name}?); known are {known}"
    with pytest.raises(SpecError, match=f"^unknown {family.word} '0'; known are "):
        family.find("0")


@each
def test_an_installed_package_offers_its_own(family: Registry[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    name, own = family.names()[0], type("Own", (family.find(family.names()[0]),), {"name": "own"})
    monkeypatch.setattr(sys.modules[__name__], "Own", own, raising=False)
    own.__module__ = __name__
    offer(family, monkeypatch, ("own", f"{__name__}:Own"), (name, f"{__name__}:Own"), ("gone", "nowhere:Class"))
    assert family.names()[-2:] == ["own", "gone"]
    assert family.find("own") is own
    with pytest.raises(SpecError, match=f"^{family.word} '{name}' is there more than once"):
        family.find(name)
    with pytest.raises(SpecError, match="nowhere:Class cannot be imported"):
        family.find("gone")


def test_an_entry_point_that_is_no_class_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(ALLOCATORS, monkeypatch, ("whole", f"{__name__}:Whole"), ("text", "string:digits"))
    for name in ("whole", "text"):
        with pytest.raises(SpecError, match="is no class of that name; mend its entry point"):
            ALLOCATORS.find(name)


def test_a_users_allocator_needs_three_definitions() -> None:
    register(Whole)
    allocator = ALLOCATORS.make("whole-pages:most=2")
    handle = allocator.alloc(100)
    allocator.check()
    assert (allocator.pages, allocator.stats(), allocator.spec) == (1, {"pages": 1}, "whole-pages:most=2")
    assert (allocator.compact(), allocator.placement(handle)) == (0, None)
    again = ALLOCATORS.make(allocator, page_size=4096, zone=None)
    assert (again.spec, again.pages, allocator.pages) == (allocator.spec, 0, 1)
    assert ALLOCATORS.make(allocator) is allocator


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (int, "int: nothing that can be registered"),
        (type("Nameless", (Whole,), {"name": None}), "Nameless: name=None; give a name"),
        (type("Spaced", (Whole,), {"name": "a:b"}), "Spaced: name='a:b'; give a name"),
    ],
)
def test_what_cannot_be_registered(cls: type, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        register(cls)


@pytest.mark.parametrize(
    ("family", "spec", "said"),
    [
        (COMPRESSORS, "zst", "unknown compressor 'zst' (did you mean zstd?); known are lz4, "),
        (COMPRESSORS, "lzo:level=3", "lzo: unknown parameter level; it has no parameters"),
        (COMPRESSORS, "lz4:level=3", "lz4: unknown parameter level; known are acceleration=1"),
        (FRONTENDS, "zswap:ram_pages=4G", "ram_pages=4G is wrong; give a number of pages: 4G is 1048576 pages of 4K"),
        (FRONTENDS, "zram:writeback=hug", "zram: writeback: 'hug' is unknown (did you mean huge?)"),
        (ALLOCATORS, "zsmalloc:chain=4..16", "chain=4..16 is wrong; give one value here"),
        (COMPRESSORS, "zstd:level", "zstd:level: 'level' is no KEY=VALUE"),
        (COMPRESSORS, "zstd:levle=3", "zstd: unknown parameter levle (did you mean level?); known are level=3"),
        (COMPRESSORS, "zstd:level=3,level=5", "zstd:level=3,level=5: level is given twice; give it once"),
        (COMPRESSORS, "zstd:level=abc", "zstd: level=abc is wrong; give a whole number (default: 3)"),
        (COMPRESSORS, "zstd:level=3.5", "zstd: level=3.5 is wrong; give a whole number (default: 3)"),
        (COMPRESSORS, "deflate:level=fast", "deflate: level=fast is wrong; give a whole number"),
        (
            FRONTENDS,
            "zram:mem_limit=a",
            "zram: mem_limit=a is wrong; give bytes, such as 4096, 64K, 256M or 1.5G",
        ),
        (FRONTENDS, "zram:mem_limit=1,mem_limit=1", "mem_limit is given twice"),
        (ALLOCATORS, "zsmalloc:chain=x", "zsmalloc: chain=x is wrong; give a whole number"),
        (ALLOCATORS, "zbud:page_size=4096", "zbud: unknown parameter page_size"),
        (MAPPINGS, "copy:x=1", "copy: unknown parameter x; it has no parameters"),
        (GENERATORS, "random:page_size=x", "random: page_size=x is wrong; give bytes, such as 4096, 64K"),
        (READERS, "csv:pages=x", "csv: unknown parameter pages; it has no parameters"),
    ],
)
def test_wrong_specs_say_what_to_do(family: Registry[Any], spec: str, said: str) -> None:
    given = {"page_size": 4096, "zone": None} if family is ALLOCATORS else {}
    with pytest.raises(SpecError) as caught:
        family.make(spec, **given)
    assert str(caught.value).startswith(said) or said in str(caught.value)


@each
def test_every_parameter_has_one_kind(family: Registry[Any]) -> None:
    """Those of bases too, whose annotations mean something in other modules only."""
    for name in family.names():
        for parameter in parameters(family.find(name)).values():
            assert len(parameter.kinds) <= 1, f"{name}: {parameter}"


def test_specs() -> None:
    make = COMPRESSORS.make
    assert make("zstd").spec == make("zstd:level=3").spec == "zstd:level=3"
    assert make("lz4hc:level=12").config == {"level": 12}
    assert make("lz4").spec == "lz4"


def test_names_import_nothing() -> None:
    code = (
        "import sys, sim.plugins as p; [family.names() for family in p.FAMILIES];"
        "print(sorted({'lz4', 'zstandard', 'numba', 'numpy', 'pandas'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
