"""What the recorder tells the programs in the kernel and what they count: `struct control` of swap.bpf.c."""

from __future__ import annotations

import ctypes

_U32, _U64 = ctypes.c_uint32, ctypes.c_uint64


class Control(ctypes.Structure):
    """Lies in the programs' .bss, mapped into both; swap.bpf.c says what each field means."""

    _fields_ = (
        ("cgroup", _U64),
        ("direct_map", _U64),
        ("vmemmap", _U64),
        ("pattern", _U64 * 4),
        ("frame", _U64),
        ("device", _U32),
        ("probing", _U32),
        ("armed", _U32),
        ("returned", _U32),
        ("taken", _U32),
        ("found", _U32),
        ("memcg", _U64),
        ("dropped", _U64),
        ("table", _U64),
        ("swap_type", _U32),
        ("table_known", _U32),
    )
