"""Which allocators there are: none forgotten, none twice, and what is said of an unknown one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

import allocators
from allocators import Allocator, AllocatorError, allocator_class, names, register, registry


class Whole(Allocator):
    """A page an object: as small as a user's allocator can be."""

    name = "whole-pages"

    def __init__(self) -> None:
        self.held: set[int] = set()

    def alloc(self, size: int) -> int:
        self.held.add(size)
        return size

    def free(self, handle: int) -> None:
        self.held.remove(handle)

    @property
    def pages(self) -> int:
        return len(self.held)


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})


def test_every_concrete_class_of_the_package_is_registered() -> None:
    found = {}
    for module in pkgutil.walk_packages(allocators.__path__, "allocators."):
        for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(cls, Allocator) and not inspect.isabstract(cls) and "name" in vars(cls):
                found[cls.name] = cls
    assert found == {name: allocator_class(name) for name in registry.BUILT_IN}


def test_every_name_is_its_class_s() -> None:
    assert names() == list(registry.BUILT_IN)
    assert [allocator_class(name).name for name in names()] == names()


def test_a_user_s_allocator_needs_three_definitions() -> None:
    assert register(Whole) is Whole
    assert register(Whole) is Whole  # a notebook's cell is run twice
    assert names()[-1] == "whole-pages"
    allocator = allocator_class("whole-pages")()
    handle = allocator.alloc(100)
    allocator.check()
    assert (allocator.pages, allocator.stats(), allocator.spec) == (1, {"pages": 1}, "whole-pages")
    assert (allocator.compact(), allocator.placement(handle)) == (0, None)


@pytest.mark.parametrize("taken", ["zsmalloc", "whole-pages"])
def test_a_name_is_given_once(taken: str) -> None:
    register(Whole)
    with pytest.raises(AllocatorError, match=f"^allocator '{taken}' is there already; give yours another name$"):
        register(type("Other", (Whole,), {"name": taken}))


def test_unknown_name() -> None:
    with pytest.raises(AllocatorError) as caught:
        allocator_class("zmalloc")
    assert str(caught.value) == f"unknown allocator 'zmalloc'; known are {', '.join(registry.BUILT_IN)}"


def test_an_installed_package_offers_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("whole-pages", f"{__name__}:Whole", "cswap.allocators")

    def offered(group: str, name: str = "whole-pages") -> list[EntryPoint]:
        return [point] if (group, name) == (point.group, point.name) else []

    monkeypatch.setattr(registry, "entry_points", offered)
    assert names()[-1] == "whole-pages"
    assert allocator_class("whole-pages") is Whole


def test_asking_for_names_compiles_nothing() -> None:
    script = "import sys, allocators; allocators.TooLarge; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_cell_run_twice_replaces_its_class() -> None:
    first, second = (type("Cell", (Whole,), {"name": "cell"}) for _ in range(2))
    register(first)
    register(second)
    assert allocator_class("cell") is second
