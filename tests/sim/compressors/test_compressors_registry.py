"""The registry holds every compressor, and finds them by spec without importing what is not needed."""

from __future__ import annotations

import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module

import pytest

import sim.compressors
from sim.compressors import registry as registry_module
from sim.compressors.base import Compressor
from sim.compressors.lz4_lib import Lz4Lib
from sim.compressors.registry import COMPRESSORS, Registry, compressor, register
from sim.errors import CompressorError


def _descendants(cls: type[Compressor]) -> Iterator[type[Compressor]]:
    for child in cls.__subclasses__():
        yield child
        yield from _descendants(child)


def test_every_compressor_is_registered_under_its_name() -> None:
    for module in pkgutil.iter_modules(sim.compressors.__path__, "sim.compressors."):
        import_module(module.name)
    ours = {
        cls
        for cls in _descendants(Compressor)
        if cls.__module__.startswith("sim.compressors.") and not inspect.isabstract(cls) and hasattr(cls, "name")
    }
    assert ours == set(COMPRESSORS.values())
    assert [cls.name for cls in COMPRESSORS.values()] == list(COMPRESSORS)


def test_duplicates_raise() -> None:
    registry = Registry({"lzo": "sim.compressors.lzo:Lzo"})
    registry.add(Lz4Lib)
    assert registry["lz4-lib"] is Lz4Lib
    with pytest.raises(CompressorError, match="lz4-lib exists already"):
        registry.add(Lz4Lib)


def test_a_user_registers_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "COMPRESSORS", Registry({}))
    assert register(Lz4Lib) is Lz4Lib
    assert type(compressor("lz4-lib")) is Lz4Lib


def test_specs() -> None:
    assert compressor("zstd").spec == compressor("zstd:level=3").spec == "zstd:level=3"
    assert compressor("lz4hc:level=12").config == {"level": 12}
    assert compressor("lz4").spec == "lz4"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("lz5", "no compressor is called lz5; there are lz4, "),
        ("lz4:level=3", "lz4 takes no parameters"),
        ("zstd:level", "zstd takes level="),
        ("zstd:speed=3", "zstd takes level="),
        ("zstd:level=99", "levels go from 1 to 22"),
        ("deflate:level=fast", "levels go from 1 to 9"),
    ],
)
def test_wrong_specs_say_what_to_do(spec: str, says: str) -> None:
    with pytest.raises(CompressorError, match=says):
        compressor(spec)


def test_import_is_cheap() -> None:
    code = (
        "import sys, sim.compressors.registry as r; list(r.COMPRESSORS);"
        "print(sorted({'lz4', 'zstandard', 'numba', 'numpy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
