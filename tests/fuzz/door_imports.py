"""Files of every format that can be imported: one door each."""

from __future__ import annotations

import gzip
import json
import lzma
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import zstandard
from command import Wrong, command
from mutate import mutated_bytes, mutated_text
from reader_examples import EXAMPLES

PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.compress, ".xz": lzma.compress}


def made(name: str) -> Callable[[Random, Path], None]:
    """Mutate one file of the example of a format, perhaps packed, and choose the options."""

    def make(draw: Random, folder: Path) -> None:
        example = EXAMPLES[name]
        (folder / "in").mkdir()
        example.put(folder / "in")
        which = draw.choice(sorted(example.files))
        data, file = example.files[which], example.file
        if b"\0" in data or draw.random() < 0.2:
            data = mutated_bytes(data, draw)
        else:
            data = mutated_text(data.decode("latin-1"), draw).encode("utf-8", "surrogatepass")
        if len(example.files) == 1 and draw.random() < 0.1:
            (folder / "in" / which).unlink()
            suffix = draw.choice(sorted(PACK))
            data, which = PACK[suffix](data), which + suffix
            data, file = mutated_bytes(data, draw) if draw.random() < 0.5 else data, which
        (folder / "in" / which).write_bytes(data)
        options = [
            word for word, chance in ((f"--format={name}", 0.7), ("--keep-going", 0.5)) if draw.random() < chance
        ]
        (folder / "words.json").write_text(json.dumps([file, *options]))

    return make


def warm_imports() -> None:
    """Compile reclaim."""
    with tempfile.TemporaryDirectory() as folder:
        command("import", EXAMPLES["lackey"].put(Path(folder)), "-o", Path(folder) / "t.cswap")


def answer_import(folder: Path) -> None:
    """What is imported is a trace that can be verified; what is not leaves nothing."""
    file, *options = json.loads((folder / "words.json").read_text())
    out = folder / "t.cswap"
    try:
        command("import", folder / "in" / file, "-o", out, *options)
    finally:
        left = {path.name for path in folder.iterdir()} - {"in", "words.json", "t.cswap"}
        if left:
            raise Wrong(f"leaves {sorted(left)[:3]}")
    command("trace", "verify", out)
