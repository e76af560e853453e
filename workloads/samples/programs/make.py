"""`make samples`: records the programs, and makes the shipped samples and the long traces without contents of them.

Run `python make.py [NAME]...` as root, on a kernel with zram. The whole recordings stay in out/samples, with contents.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
SAMPLES = HERE.parent
ROOT = SAMPLES.parents[1]
LONG = ROOT / "workloads" / "recordings"
CODECS = ("lz4", "lzo", "lzo-rle", "zstd")  # whose sizes the recordings carry
RECORDED = ROOT / "out" / "samples"
# What a program finds in its environment is in its memory, and so in the sample: nothing of the user's.
CLEAN = ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent"]


def main() -> None:
    """Make the samples of those names, by default all."""
    programs = tomllib.loads((HERE / "programs.toml").read_text())
    names = sys.argv[1:] or list(programs)
    for name in names:
        if name not in programs:
            raise SystemExit(f"make samples: there is no program {name}; there are {', '.join(programs)}")
    missing = [tool for name in names if (tool := programs[name].get("needs")) and shutil.which(tool) is None]
    if missing:
        raise SystemExit(f"make samples: {', '.join(missing)} not found; install what is missing, or name the others")
    if os.geteuid() != 0:
        raise SystemExit("make samples: recording the kernel's swap needs root; run it as root")
    for folder in (RECORDED, LONG):
        folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        make(name, **programs[name])


def make(name: str, command: list[str], limit: str, share: float, needs: str = "") -> None:
    """Record one program; its sample and its long trace replace the former ones when both are whole."""
    folder = f"{name}.cswap"
    recorded, sample, long = RECORDED / folder, RECORDED / "sample" / folder, RECORDED / "long" / folder
    for path in (recorded, sample, long):
        shutil.rmtree(path, ignore_errors=True)
        path.parent.mkdir(parents=True, exist_ok=True)
    cswap("record", "-o", recorded, "--limit", limit, "--", *CLEAN, *map(found, command))
    cswap("trace", "verify", recorded)
    cswap("trace", "sample", recorded, "--share", share, "-o", sample)
    cswap(
        "trace", "strip", recorded, "--keep-source", "-o", long, *(word for codec in CODECS for word in ("-c", codec))
    )
    replace(sample, SAMPLES / folder)
    replace(long, LONG / folder)


def found(word: str) -> str:
    """A word of a command: cswap's interpreter, a file of this folder, or the word itself; relative to ROOT."""
    if word == "python":
        return os.path.relpath(sys.executable, ROOT)
    return os.path.relpath(HERE / word, ROOT) if (HERE / word).exists() else word


def cswap(*words: object) -> None:
    """Run a command of cswap's; its error ends this script too."""
    subprocess.run([sys.executable, "-m", "sim", *map(str, words)], check=True, cwd=ROOT)


def replace(new: Path, old: Path) -> None:
    """Put a trace in the place of another."""
    shutil.rmtree(old, ignore_errors=True)
    new.rename(old)


main()
