"""What compressed swap is worth, in words and on one screen, from made frames whose answers are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.cli.ram_summary import HEIGHT, WIDTH, ram_summary
from sim.plots.curves import MIB, curves, worth
from sim.results.worth import _more, densities, verdict

SIZES = [400, 450, 500, 550, 600]
NONE = pd.DataFrame()


def rows(frontend: str, codec: str, ins: list[float], lost: list[float], **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "trace": more.get("trace", "prog"),
            "frontend": frontend,
            "compressor": codec,
            "allocator": more.get("allocator", "none" if frontend == "device" else "zsmalloc"),
            "ram": size * MIB,
            "policy": "lru",
            "page_ins": page_ins,
            "time_lost_s": seconds,
            "time_lost_share": seconds / 10,
            "below": 0.2 if size == 400 and frontend == "zram" else 0.0,
            "over": 0.0,
        }
        for size, page_ins, seconds in zip(SIZES, ins, lost, strict=True)
    ]


def frame(**more: Any) -> pd.DataFrame:
    """lz4 loses least below 500 MiB, zstd from there on; the device has the fewest page-ins and loses most."""
    return pd.DataFrame(
        rows("zram", "lz4", [900, 700, 500, 300, 0], [6.0, 2.0, 1.2, 0.8, 0.0], **more)
        + rows("zram", "zstd:level=3", [850, 650, 450, 250, 0], [7.0, 3.0, 1.0, 0.5, 0.0], **more)
        + rows("device", "none", [800, 600, 400, 200, 0], [8.0, 6.0, 4.0, 2.0, 0.0], **more)
    )


def test_worth_is_the_ram_that_a_device_needs_besides() -> None:
    (time,) = curves(frame())
    assert time.measure == "time_lost_s"
    mib = worth(time)
    assert mib["lz4"].tolist() == pytest.approx([np.nan, 100, 70, 30, 0], nan_ok=True), "at 400M less than recorded"
    (ins,) = curves(frame(), "page_ins")
    found = worth(ins)
    assert found["lz4"].tolist()[1:4] == pytest.approx([-25, -25, -25])


def test_without_a_baseline_nothing_is_worth_anything() -> None:
    made = frame()
    (curve,) = curves(made[made["frontend"] == "zram"])
    assert worth(curve).isna().all(axis=None)
    assert not [sentence for sentence in verdict(made[made["frontend"] == "zram"]) if "swap device alone" in sentence]


def test_it_is_said_in_words() -> None:
    said = " ".join(verdict(frame()))
    assert "Loses the least time: lz4 at 450M, zstd 500M to 550M." in said
    assert "Thrashes, losing half of its time or more: lz4 up to 400M, zstd up to 400M." in said
    assert (
        "To lose as little time as lz4, a swap device alone needs 30M (at 550M) to 100M (at 450M) more RAM; as" in said
    )
    assert "To have as few page-ins as lz4, a swap device alone needs 25M less RAM at 450M to 550M; as zstd: " in said
    assert "Up to 400M the program has less than in the recording for up to 20% of the events" in said
    assert "validate ram" in said


@pytest.mark.parametrize(
    ("mib", "told"),
    [
        ([81.4], "81M more RAM at 400M"),
        ([-3.6], "4M less RAM at 400M"),
        ([12, 12.3], "12M more RAM at 400M to 450M"),
        ([81, 44], "44M (at 450M) to 81M (at 400M) more RAM"),
        ([-30, -5], "30M (at 400M) to 5M (at 450M) less RAM"),
        ([-30, 0.2], "30M (at 400M) to 0M (at 450M) less RAM"),
        ([0, 5], "0M (at 400M) to 5M (at 450M) more RAM"),
        ([-30, 5], "30M less (at 400M) to 5M (at 450M) more RAM"),
    ],
)
def test_how_much_more_is_told_with_its_sizes(mib: list[float], told: str) -> None:
    index = [size * MIB for size in SIZES[: len(mib)]]
    assert _more(pd.Series(mib, index)) == told


def test_of_a_small_machine_kibibytes_are_told() -> None:
    assert _more(pd.Series([0.125, 0.0625], [MIB // 2, MIB])) == "64K (at 1M) to 128K (at 512K) more RAM"


def test_untimed_it_is_about_page_ins() -> None:
    said = " ".join(verdict(frame().drop(columns=["time_lost_s", "time_lost_share"])))
    assert "Has the fewest page-ins: zstd 450M to 550M." in said
    assert "time" not in said


@pytest.mark.parametrize("traces", [1, 2, 7])
@pytest.mark.parametrize("allocators", [1, 6])
def test_it_is_never_larger_than_a_screen(traces: int, allocators: int) -> None:
    made = pd.concat(
        frame(trace=f"a program {i}", allocator=f"zsmalloc:chain={4 + j}")
        for i in range(traces)
        for j in range(allocators)
    )
    shown = ram_summary(made, NONE)
    assert len(shown) <= HEIGHT
    assert max(map(len, shown)) <= WIDTH


def test_the_table_has_a_row_for_each_size() -> None:
    shown = ram_summary(frame(), NONE)
    assert [line.split()[0] for line in shown[2:7]] == ["*400M", "450M", "500M", "550M", "600M"]
    assert "6.00 / 900" in shown[2]
    assert "8.00 / 800" in shown[2]


def test_what_is_not_told_is_named() -> None:
    made = frame()
    other = made.assign(policy="random")
    limited = made.assign(limit=made["ram"], ram=pd.NA)
    said = " ".join(verdict(pd.concat([made, other, limited])))
    assert "Not told here, but in --json: policy random; the sizes of limit." in said
    assert "Not told" not in " ".join(verdict(made))
    wide = pd.concat(frame(allocator=f"zsmalloc:chain={4 + i}") for i in range(6))
    (line,) = [line for line in ram_summary(wide, NONE) if "for want of room" in line]
    assert "zstd chain=9" in line or line.endswith("...)")
    assert "; random" not in ram_summary(pd.concat([made, other]), NONE)[0]


def test_the_device_alone_has_its_figures() -> None:
    made = frame()
    shown = ram_summary(made[made["frontend"] == "device"], NONE)
    assert "in device" in shown[0]
    assert shown[1].split() == ["RAM", "device"]
    assert "8.00 / 800" in shown[2]


def test_densities_are_of_the_smallest_machine_that_is_known() -> None:
    made = frame()
    swapping = made[made["frontend"] == "zram"]
    density = swapping.assign(
        density=[2.0 + i / 10 for i in range(len(swapping))], ideal_density=4.0, pages_peak=9, small=False
    )
    (said,) = densities(made, density)  # 400 MiB are fewer than in the recording
    assert said == "Compressed pages in a page of RAM at 450M (packed without loss): lz4 2.10 (4.00), zstd 2.60 (4.00)."
    (said,) = densities(made, density.assign(small=True))
    assert said.endswith("; few pages, 9 at most.")
    assert not list(densities(made, density.assign(density=float("nan"))))
