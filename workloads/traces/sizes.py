"""Sizes: what one compressor makes of every unique page of a trace."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.traces.columns import whole
from workloads.traces.digests import DIGEST_BYTES

SIZES = "sizes"  # the folder in that of a trace
CODEC = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _+.-]*(:[A-Za-z0-9_]+=[A-Za-z0-9_+.-]+(,[A-Za-z0-9_]+=[A-Za-z0-9_+.-]+)*)?")
LONGEST = 100  # characters of a codec's spec
LARGEST_PAGE = 1 << 16  # bytes
SLOWEST = 1 << 40  # ns that a page may take, about 18 minutes
GIVEN = "given"  # the pseudo codec of generators that draw sizes and have no contents
SPREAD = ("processes", "compress_p50_us", "decompress_p50_us")
"""Keys of the meta of times that several processes took: how many, and between which values their medians lie."""
SPREAD_TEXTS = (re.compile(r"[1-9]\d{0,3}"), *[re.compile(r"\d{1,10}\.\d{3} \d{1,10}\.\d{3}")] * 2)
OF_THESE = ("pages", *SPREAD)  # keys of the meta that hold for these very pages

DTYPES: dict[str, np.dtype[Any]] = {
    "size": np.dtype(np.int32),
    "same_filled": np.dtype(np.bool_),
    "zero_filled": np.dtype(np.bool_),
    "compress_ns": np.dtype(np.int64),
    "decompress_ns": np.dtype(np.int64),
}


@dataclass(frozen=True, eq=False)
class Sizes:
    """Results for u unique pages, in page order.

    `size` int32[u] bytes after compression; `same_filled` bool[u], whether all machine words are equal;
    `zero_filled` bool[u], whether they are all zero (such a page is same-filled too); `compress_ns`,
    `decompress_ns` int64[u], 0 = not measured; `meta` texts: `codec`, `version`, `host`, `pages` (the
    `pages_digest` of the trace), and `SPREAD`, where several processes took the times. Raises TraceError for another
    type or length.
    """

    size: npt.NDArray[np.int32]
    same_filled: npt.NDArray[np.bool_]
    zero_filled: npt.NDArray[np.bool_]
    compress_ns: npt.NDArray[np.int64]
    decompress_ns: npt.NDArray[np.int64]
    meta: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, column in self.columns().items():
            if column.dtype != DTYPES[name] or column.shape != (len(self.size),):
                found, want = f"{column.dtype}{list(column.shape)}", f"{DTYPES[name]}[{len(self.size)}]"
                raise TraceError.at("sizes", f"column {name}", f"is {found}", f"make it {want}")

    @classmethod
    def given(cls, size: Any, zero_filled: npt.NDArray[np.bool_] | None = None) -> Sizes:
        """Sizes that come from a generator or a table, not from a compressor: nothing measured, none same-filled but
        those that are said to be zero-filled. TraceError for a size that is no whole number of bytes.
        """
        column = whole("size", size, DTYPES["size"])
        zeros = np.zeros(len(column), np.int64)
        zero = np.zeros(len(column), np.bool_) if zero_filled is None else zero_filled
        return cls(column, zero.copy(), zero.copy(), zeros, zeros.copy(), {"codec": GIVEN})

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns by name, in file order."""
        return {name: getattr(self, name) for name in DTYPES}

    def __len__(self) -> int:
        return len(self.size)

    def take(self, pages: npt.NDArray[np.int64]) -> Sizes:
        """Return the rows of these pages, with the same meta."""
        return Sizes(**{name: column[pages] for name, column in self.columns().items()}, meta=dict(self.meta))

    def digest(self) -> str:
        """Return the digest of columns and meta in hex."""
        hasher = hashlib.blake2b(repr(sorted(self.meta.items())).encode(), digest_size=DIGEST_BYTES)
        for column in self.columns().values():
            hasher.update(np.ascontiguousarray(column, column.dtype.newbyteorder("<")).data)
        return hasher.hexdigest()


def is_codec(text: str) -> bool:
    """Whether a text is a codec's spec, `name` or `name:key=value,...`, and so can be a file's name."""
    return len(text) <= LONGEST and CODEC.fullmatch(text) is not None


def largest(page_size: int) -> int:
    """Return the bytes that a codec makes of a page at worst: lzo1x_worst_compress (include/linux/lzo.h)."""
    return page_size + page_size // 16 + 67


def check_sizes(file: object, codec: str, sizes: Sizes, unique_pages: int, page_size: int) -> None:
    """Raise TraceError unless the sizes are of that codec and many pages, and no value is out of range."""
    place, remedy = f"sizes of {codec}", "size the pages again"
    _check_rows(file, codec, len(sizes), unique_pages)
    if sizes.meta.get("codec") not in (codec, GIVEN):
        raise TraceError.at(file, place, f"are of codec {str(sizes.meta.get('codec'))[:LONGEST]!r}", remedy)
    most = largest(page_size)
    for name, limit in (("size", most), ("compress_ns", SLOWEST), ("decompress_ns", SLOWEST)):
        column = sizes.columns()[name]
        if len(column) and not 0 <= column.min() <= column.max() <= limit:
            row = int(((column < 0) | (column > limit)).argmax())
            wrong = f"{name} {column[row]} is negative" if column[row] < 0 else f"{name} {column[row]} is over {limit}"
            raise TraceError.at(file, f"{place}: row {row}", wrong, remedy)


def _check_rows(file: object, codec: str, rows: int, unique_pages: int) -> None:
    if rows != unique_pages:
        wrong = f"has {rows} rows for {unique_pages} unique pages"
        raise TraceError.at(file, f"sizes of {codec}", wrong, "size the pages again")


def sizes_digest(sizes: Mapping[str, Sizes]) -> str:
    """Return the digest that stands for the pages of a trace that never had contents."""
    text = " ".join(f"{codec}={sizes[codec].digest()}" for codec in sorted(sizes))
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def sizes_path(folder: Path, codec: str) -> Path:
    """Return where a trace folder keeps the sizes of a codec; TraceError if its name cannot be a file's."""
    if not is_codec(codec):
        wrong, remedy = f"{codec[:LONGEST]!r} is not a codec name", "name it as `name` or `name:key=value,...`"
        raise TraceError.at(folder, SIZES, wrong, remedy)
    return folder / SIZES / f"{codec}.parquet"


def write_sizes(path: Path, sizes: Sizes) -> None:
    """Write Parquet with the meta in its schema; replaces the file in one step, makes the folder.

    The umask decides who may read it, as with the other files of a trace.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    meta = {**sizes.meta, "digest": sizes.digest()}
    table = pa.table([pa.array(c) for c in sizes.columns().values()], schema=_schema().with_metadata(meta))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(8)}.part")  # a name that nobody has prepared
    try:
        with part.open("xb") as file:
            pq.write_table(table, file, compression="zstd", write_page_checksum=True)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read_sizes(path: Path, unique_pages: int | None = None, page_size: int = LARGEST_PAGE) -> Sizes:
    """Read what `write_sizes` wrote, of so many pages, where that is known, of `page_size` bytes at most.

    Raises TraceError when it is missing, damaged, not equal to its own digest, or not as `check_sizes` wants it.
    """
    from workloads.traces.parquet import open_parquet, reading

    remedy = "delete the file and size the pages again; import or generate a trace without contents again"
    codec = path.name.removesuffix(".parquet")
    file = open_parquet(path, _schema(), None, remedy)
    if unique_pages is not None:
        _check_rows(path, codec, file.metadata.num_rows, unique_pages)
    with reading(path, "Parquet", remedy):
        table = file.read(use_threads=False)
    raw = file.schema_arrow.metadata or {}
    meta = {key.decode(errors="replace"): value.decode(errors="replace") for key, value in raw.items()}
    digest = meta.pop("digest", None)
    columns = {name: np.array(table.column(name).to_numpy(), dtype) for name, dtype in DTYPES.items()}
    sizes = Sizes(**columns, meta=meta)
    if digest != sizes.digest():
        raise TraceError.at(path, "digest", "does not match the columns", remedy)
    check_sizes(path, codec, sizes, len(sizes), page_size)
    return sizes


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema([pa.field(name, pa.from_numpy_dtype(dtype), nullable=False) for name, dtype in DTYPES.items()])
