"""Sizes: what one compressor makes of every unique page of a trace."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.tally import DIGEST_BYTES

GIVEN = "given"  # the pseudo codec of generators that draw sizes and have no contents

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
    `pages_digest` of the trace). Raises TraceError for another type or length.
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
    def given(cls, size: npt.ArrayLike) -> Sizes:
        """Sizes that come from a generator, not from a compressor: none same-filled, nothing measured."""
        column = np.ascontiguousarray(size, np.int32)
        zeros = np.zeros(len(column), np.int64)
        no = np.zeros(len(column), np.bool_)
        return cls(column, no, no.copy(), zeros, zeros.copy(), {"codec": GIVEN})

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


def check_sizes(file: object, codec: str, sizes: Sizes, unique_pages: int) -> None:
    """Raise TraceError unless the sizes are of that many pages and none is negative."""
    if len(sizes) != unique_pages:
        raise TraceError.at(
            file,
            f"sizes of {codec}",
            f"has {len(sizes)} rows for {unique_pages} unique pages",
            "size the pages again",
        )
    bad = sizes.size < 0
    if bad.any():
        raise TraceError.at(
            file, f"sizes of {codec}: row {bad.argmax()}", "is negative", "size the pages again"
        )


def sizes_digest(sizes: Mapping[str, Sizes]) -> str:
    """Return the digest that stands for the pages of a trace that never had contents."""
    text = " ".join(f"{codec}={sizes[codec].digest()}" for codec in sorted(sizes))
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def sizes_path(folder: Path, codec: str) -> Path:
    """Return where a trace folder keeps the sizes of a codec; TraceError if its name cannot be a file's."""
    if not codec or codec.startswith(".") or "/" in codec or "\0" in codec:
        raise TraceError.at(
            folder, "sizes", f"{codec!r} is no codec name", "use a name without / or leading dot"
        )
    return folder / "sizes" / f"{codec}.parquet"


def write_sizes(path: Path, sizes: Sizes) -> None:
    """Write Parquet with the meta in its schema; replaces the file in one step, makes the folder.

    The umask decides who may read it, as with the other files of a trace.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    meta = {**sizes.meta, "digest": sizes.digest()}
    fields = [pa.field(n, pa.from_numpy_dtype(t), nullable=False) for n, t in DTYPES.items()]
    table = pa.table([pa.array(c) for c in sizes.columns().values()], schema=pa.schema(fields, metadata=meta))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(8)}.part")  # a name that nobody has prepared
    try:
        with part.open("xb") as file:
            pq.write_table(table, file, compression="zstd", write_page_checksum=True)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read_sizes(path: Path) -> Sizes:
    """Read what `write_sizes` wrote; TraceError when missing, damaged, or not equal to its own digest."""
    import pyarrow.parquet as pq

    from workloads.parquet import reading

    remedy = "delete the file, and sizing the pages again makes it anew; of a trace without contents, make it again"
    with reading(path, "Parquet", remedy), pq.ParquetFile(path, page_checksum_verification=True) as file:
        table = file.read()
    if table.schema.names != list(DTYPES):
        raise TraceError.at(path, "columns", f"are {table.schema.names}, not {list(DTYPES)}", remedy)
    raw = table.schema.metadata or {}
    meta = {key.decode(errors="replace"): value.decode(errors="replace") for key, value in raw.items()}
    digest = meta.pop("digest", None)
    columns = {name: np.array(table.column(name).to_numpy(), dtype) for name, dtype in DTYPES.items()}
    sizes = Sizes(**columns, meta=meta)
    if digest != sizes.digest():
        raise TraceError.at(path, "digest", "does not match the columns", remedy)
    return sizes
