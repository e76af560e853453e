"""The eras of zswap: which rules each has, and which releases have them."""

from typing import NamedTuple

from allocators.eras import ON, Span


class Era(NamedTuple):
    """What differs between the releases."""

    rules: frozenset[str]  # those of `device.RULES` that apply
    late: bool = False  # full beyond the limit, and accepting strictly below a threshold that is rounded twice
    threshold: bool = True  # whether there is one


_POOLED = frozenset({"drop_first", "by_pool"})
_EXCLUSIVE = frozenset({"exclusive"})
_SWAP_CORE = _EXCLUSIVE | {"zeros_apart", "second_chance"}
ERAS = {
    "5.4": Era(_POOLED | {"at_once"}, late=True, threshold=False),
    "6.1": Era(_POOLED, late=True),
    "6.6": Era(frozenset({"drop_first"}), late=True),
    "6.9": Era(_EXCLUSIVE, late=True),
    "6.10": Era(_EXCLUSIVE),
    "6.12": Era(_SWAP_CORE),
    "6.18": Era(_SWAP_CORE | {"keep_whole"}),
}
RELEASES = (
    Span(
        "3.17", "4.17", "5.4", "it takes a page as soon as one is reclaimed, and until 4.15 compresses same-filled ones"
    ),
    Span("4.18", "5.5", "5.4"),
    Span("5.6", "6.4", "6.1"),
    Span("6.5", "6.8", "6.6"),
    Span("6.9", "6.9", "6.9"),
    Span("6.10", "6.11", "6.10"),
    Span("6.12", "6.17", "6.12"),
    Span("6.18", ON, "6.18"),
)
