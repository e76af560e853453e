"""Who published what, when, and of which workload."""

from __future__ import annotations

from typing import NamedTuple


class Source(NamedTuple):
    """`workload` is the published one; `subject` names the figure in the picture."""

    subject: str
    who: str
    when: str
    workload: str


SOURCES = {
    "P1": Source(
        "kmalloc",
        "Nitin Gupta, compcache wiki, AllocatorsComparison",
        "April 2008",
        "SwapReplay's Data 1: a desktop in 128 MiB with 64 MiB of swap, 139,937 page-outs, LZO",
    ),
    "P2": Source(
        "xvmalloc, random sizes",
        "Nitin Gupta, compcache wiki, xvMalloc and xvMallocPerformance",
        "by 2010",
        "ten tests of a million allocations and frees: random sizes, and mostly 1,024 to 2,600 bytes",
    ),
    "P3": Source(
        "xvmalloc, text and zeros",
        "Seth Jennings, linux-mm, staging: zcache: xcfmalloc support",
        "September 2011",
        "zcache: text at 75 % by LZO, and zero pages",
    ),
    "P4": Source(
        "zsmalloc, kernel build",
        "Dan Magenheimer, linux-mm, zsmalloc limitations and related topics",
        "February 2013",
        "a kernel build in zswap, sizes as they are, doubled and tripled",
    ),
    "P5": Source(
        "two histograms",
        "Nitin Gupta, linux-mm",
        "September 2012",
        "a tar of /usr/lib and an ISO image of Project Gutenberg, LZO",
    ),
    "P6": Source("chain 4 to 8", "Documentation/mm/zsmalloc.rst", "2023", "a kernel build, chain 4 and 8"),
    "P7": Source(
        "compaction",
        "Minchan Kim, linux-mm, [PATCH v1 00/10] zsmalloc compaction support",
        "21 January 2015",
        "8 GiB of zram, data that compress well, much swapping in and out",
    ),
    "P8": Source(
        "merging of classes",
        "Joonsoo Kim, linux-mm, [PATCH v4] zsmalloc: merge size_class to reduce fragmentation",
        "29 September 2014",
        "ext4 on zram: a kernel tree unpacked, its largest directories deleted one by one",
    ),
    "P9": Source("pools of zswap", "Yosry Ahmed, linux-mm", "2024", "a kernel build in zswap, most bytes of the pool"),
    "P10": Source("z3fold and zbud", "Vitaly Wool, Documentation/vm/z3fold.txt", "2016", "not told in the document"),
    "P11": Source(
        "lzo-rle",
        "Dave Rodgman, linux-kernel, [PATCH v5 0/3] lib/lzo: run-length encoding support",
        "5 February 2019",
        "4,178 pages of a Chromebook, 44 % of them over 90 % zeros; Arm and x86",
    ),
    "P12": Source(
        "fio on zram",
        "u/VenditatioDelendaEst, fio on a zram dump, quoted in guides to zram",
        "by 2023",
        "4-KiB random reads of a real dump",
    ),
    "P13": Source(
        "mapping", "Seth Jennings, linux-mm, zsmalloc's mapping methods", "July 2012", "x86, bare metal and a VM"
    ),
    "P14": Source(
        "same-filled pages",
        "zhouxianrong, commit 8e19d540d107, zram: extend zero pages to same element pages",
        "January 2017",
        "Android 7.0, many applications in turn: 598,196 pages",
    ),
    "P15": Source(
        "a phone's faults", "quetschn", "October 2026", "20,000 pages of the zram of a Xiaomi Mi 9T, whole faults"
    ),
    "P16": Source(
        "chains 4, 8, 16", "Sergey Senozhatsky, linux-mm", "October 2022", "ChromeOS and a kernel compile, lzo-rle"
    ),
    "P17": Source("zblock", "mails on zblock, linux-mm", "April and May 2025", "a kernel build in zswap, zstd"),
    "P18": Source(
        "two or three a page",
        "Fuchsia, RFC-0219",
        "no date found",
        "64 MiB of inactive pages, lz4 at acceleration 11, none above 70 %",
    ),
    "P19": Source("far memory's cut", "Google, Software-Defined Far Memory, ASPLOS", "2019", "a fleet, LZO, zsmalloc"),
    "P20": Source(
        "64-KiB blocks",
        "Barry Song and Tangquan Zheng, linux-mm, mTHP-friendly compression in zsmalloc and zram",
        "2024",
        "1,000 MiB of anonymous pages of Android, zstd",
    ),
}
