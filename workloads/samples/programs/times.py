"""`make recording-times`: gives the pages of the whole recordings codec times that were taken on a quiet machine.

The recordings have no contents, so that only the pages which are in their samples can be timed (`cswap trace time`).
Each keeps its own time; any other page of a recording takes the times of one of the sample's pages whose compressed
sizes are nearest to its own. Run `python times.py [NAME]...` when nothing else runs.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workloads.recordings import FOLDER, open_recording, pages_of_sample, recording_names
from workloads.samples import open_sample
from workloads.traces.disk import open_trace
from workloads.traces.sizes import Sizes
from workloads.traces.stripping import strip_trace
from workloads.traces.trace import Trace

NEAREST = 16  # pages of the sample to choose from: as many as that have about this size
SEED = 0


def main() -> None:
    """Time the samples of those recordings, by default all, and write the recordings anew with these times."""
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or recording_names():
            recording, sample = open_recording(name), f"{name}-sample"
            timed, new = Path(folder, f"{sample}.cswap"), Path(folder, f"{name}.cswap")
            codecs = recording.sizes_codecs()
            words = [word for codec in codecs for word in ("-c", codec)]
            cswap("trace", "time", sample, *words)
            cswap("trace", "strip", sample, "-o", timed, *words)
            sizes = {codec: retimed(recording, open_trace(timed), codec) for codec in codecs}
            strip_trace(recording, new, sizes, keep_source=True)
            shutil.rmtree(FOLDER / new.name)
            shutil.move(new, FOLDER)


def cswap(*words: object) -> None:
    """Run a command of cswap's; its error ends this script too."""
    subprocess.run([sys.executable, "-m", "sim", *map(str, words)], check=True)


def retimed(recording: Trace, timed: Trace, codec: str) -> Sizes:
    """The sizes of a recording with times of its sample's pages."""
    before, taken = recording.sizes(codec), timed.sizes(codec)
    assert before is not None
    assert taken is not None
    like = alike(taken.size, before.size)
    like[pages_of_sample(recording, open_sample(recording.name))] = np.arange(len(taken))
    return replace(before, compress_ns=taken.compress_ns[like], decompress_ns=taken.decompress_ns[like])


def alike(sizes: npt.NDArray[np.int32], wanted: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """For each wanted size the row of one of the `NEAREST` nearest sizes, drawn at random."""
    order = np.argsort(sizes, kind="stable")
    nearest = np.searchsorted(sizes[order], wanted)
    drawn = np.random.default_rng(SEED).integers(-(NEAREST // 2), NEAREST // 2, len(wanted))
    found: npt.NDArray[np.int64] = order[np.clip(nearest + drawn, 0, len(order) - 1)]
    return found


if __name__ == "__main__":
    main()
