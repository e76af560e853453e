"""Specs: what is written reaches the constructor in the type it wants, and nothing is lost."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from allocators import AllocatorError, PageZone
from sim.plugins import make_allocator
from sim.spec import SpecError, Value, build, parse_spec


def test_values_are_typed_where_that_loses_nothing() -> None:
    name, settings = parse_spec("x:a=1,b=0.5,c=true,d=text,e=6.10,f=6.1,g=007,h=-3,i=1=2")
    assert name == "x"
    expected = [1, 0.5, True, "text", "6.10", 6.1, "007", -3, "1=2"]
    assert list(settings.values()) == expected
    assert [type(v) for v in settings.values()] == [type(v) for v in expected]
    assert parse_spec("zsmalloc") == ("zsmalloc", {})


class Typed:
    def __init__(
        self,
        text: str = "6.12",
        number: float = 0.5,
        count: int | None = None,
        flag: bool = False,
        mode: Literal["a", "b"] = "a",
        zone: PageZone | None = None,
    ) -> None:
        self.values = (text, number, count, flag, mode)


KNOWN = "text=6.12, number=0.5, count=none, flag=false, mode=a"


class Untyped:
    def __init__(self, era="6.1", level=3, anything=None):  # type: ignore[no-untyped-def]
        self.values = (era, level, anything)


class Needy:
    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError("size must be\npositive")


@pytest.mark.parametrize(
    ("cls", "spec", "values"),
    [
        (Typed, "x:text=6.1", ("6.1", 0.5, None, False, "a")),
        (Typed, "x:text=6.10", ("6.10", 0.5, None, False, "a")),
        (Typed, "x:text=2012", ("2012", 0.5, None, False, "a")),
        (Typed, "x:text=true", ("true", 0.5, None, False, "a")),
        (Typed, "x:number=1,count=007", ("6.12", 1.0, 7, False, "a")),
        (Typed, "x:number=1e-3,flag=true,mode=b", ("6.12", 0.001, None, True, "b")),
        (Untyped, "x:era=6.10,level=0.50,anything=true", ("6.10", 0.5, True)),
    ],
)
def test_conversion(cls: Any, spec: str, values: tuple[Value | None, ...]) -> None:
    built = build(cls, parse_spec(spec)[1], "x")
    assert built.values == values
    assert [type(v) for v in built.values] == [type(v) for v in values]


@pytest.mark.parametrize(
    ("cls", "spec", "message"),
    [
        (Typed, "x:zone=1", f"x: unknown parameter zone; known are {KNOWN}"),
        (Typed, "x:mode=c", "x: mode=c is wrong; give one of a, b (default: a)"),
        (Typed, "x:flag=1", "x: flag=1 is wrong; give true or false (default: false)"),
        (Typed, "x:number=nan", "x: number=nan is wrong; give a number (default: 0.5)"),
        (Needy, "x", "x: needs size; write x:size=VALUE"),
        (Needy, "x:size=0", "x: size must be\npositive"),
    ],
)
def test_errors(cls: Any, spec: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        build(cls, parse_spec(spec)[1], "x")
    assert str(caught.value) == message


def test_allocators() -> None:
    assert make_allocator("zsmalloc:era=6.1").spec == "zsmalloc:era=6.1"
    zone = PageZone(10)
    assert make_allocator("zbud", page_size=16384, zone=zone).zone is zone  # type: ignore[attr-defined]
    with pytest.raises(AllocatorError, match=r"6\.10"):
        make_allocator("zsmalloc:era=6.10")
