"""The calls of a frontend, chosen by the type of its state (as `allocators.kernels.dispatch`)."""

from collections.abc import Callable
from typing import Any, NamedTuple

from numba.core import types
from numba.extending import overload

from allocators.jit import INLINED, kernel
from sim.frontends.kernels import raw, zcache, zram, zram_2012, zswap


class Rules(NamedTuple):
    """The functions over one type of state."""

    page_out: Callable[[Any, Any, int, int, int, int], int]
    page_in: Callable[[Any, Any, int], int]
    slot_free: Callable[[Any, Any, int], int]
    codec: Callable[[Any, int], int]


@kernel
def one_codec(device: Any, slot: int) -> int:
    """Most frontends have one codec."""
    return 0


def _simple(module: Any) -> Rules:
    return Rules(module.page_out, module.page_in, module.slot_free, one_codec)


RULES: dict[type, Rules] = {
    raw.Raw: _simple(raw),
    zcache.Zcache: _simple(zcache),
    zram.Zram: _simple(zram)._replace(codec=zram.codec),
    zram_2012.Zram2012: _simple(zram_2012),
    zswap.Zswap: _simple(zswap),
}


def page_out(device: Any, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store page number `page` of `size` compressed bytes, filled as `fill` says, in a slot; what it holds then."""
    return RULES[type(device)].page_out(device, allocator, slot, page, size, fill)


def page_in(device: Any, allocator: Any, slot: int) -> int:
    """Read a slot; what it held."""
    return RULES[type(device)].page_in(device, allocator, slot)


def slot_free(device: Any, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return RULES[type(device)].slot_free(device, allocator, slot)


def codec(device: Any, slot: int) -> int:
    """Which codec made the object of a slot: 0 that of the page-outs, then those of `Frontend.codecs`."""
    return RULES[type(device)].codec(device, slot)


def _rules(device: types.Type) -> Rules | None:
    return RULES.get(getattr(device, "instance_class", type(None)))


@overload(page_out, jit_options=INLINED, strict=False)
def _page_out(device: Any, allocator: Any, slot: Any, page: Any, size: Any, fill: Any) -> Any:
    rules = _rules(device)
    return rules and rules.page_out


@overload(page_in, jit_options=INLINED, strict=False)
def _page_in(device: Any, allocator: Any, slot: Any) -> Any:
    rules = _rules(device)
    return rules and rules.page_in


@overload(slot_free, jit_options=INLINED, strict=False)
def _slot_free(device: Any, allocator: Any, slot: Any) -> Any:
    rules = _rules(device)
    return rules and rules.slot_free


@overload(codec, jit_options=INLINED, strict=False)
def _codec(device: Any, slot: Any) -> Any:
    rules = _rules(device)
    return rules and rules.codec
