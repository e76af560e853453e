"""Where page-outs and page-ins come from: traces on disk, generators, readers, recordings, samples.

The names below are loaded when first used, so that `import workloads` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workloads.analysis.info import info as info
    from workloads.analysis.survey import Survey as Survey
    from workloads.errors import TraceError as TraceError
    from workloads.readers.csv import import_csv as import_csv
    from workloads.readers.dump import import_pages as import_pages
    from workloads.readers.importing import import_file as import_file
    from workloads.recordings import open_recording as open_recording
    from workloads.recordings import recording_names as recording_names
    from workloads.samples import open_sample as open_sample
    from workloads.samples import sample_names as sample_names
    from workloads.traces.events import COMPACT as COMPACT
    from workloads.traces.events import FREE as FREE
    from workloads.traces.events import IN as IN
    from workloads.traces.events import KINDS as KINDS
    from workloads.traces.events import LOST as LOST
    from workloads.traces.events import OUT as OUT
    from workloads.traces.events import Events as Events
    from workloads.traces.sampling import sample_slots as sample_slots
    from workloads.traces.sizes import GIVEN as GIVEN
    from workloads.traces.sizes import Sizes as Sizes
    from workloads.traces.sizes import read_sizes as read_sizes
    from workloads.traces.sizes import sizes_path as sizes_path
    from workloads.traces.sizes import write_sizes as write_sizes
    from workloads.traces.store import TraceWriter as TraceWriter
    from workloads.traces.store import open_trace as open_trace
    from workloads.traces.store import save_trace as save_trace
    from workloads.traces.store import verify as verify
    from workloads.traces.store import write_trace as write_trace
    from workloads.traces.stripping import strip_trace as strip_trace
    from workloads.traces.trace import Trace as Trace

_HOMES = {
    "analysis.info": ("info",),
    "analysis.survey": ("Survey",),
    "errors": ("TraceError",),
    "readers.csv": ("import_csv",),
    "readers.dump": ("import_pages",),
    "readers.importing": ("import_file",),
    "recordings": ("open_recording", "recording_names"),
    "samples": ("open_sample", "sample_names"),
    "traces.events": ("COMPACT", "FREE", "IN", "KINDS", "LOST", "OUT", "Events"),
    "traces.sampling": ("sample_slots",),
    "traces.sizes": ("GIVEN", "Sizes", "read_sizes", "sizes_path", "write_sizes"),
    "traces.store": ("TraceWriter", "open_trace", "save_trace", "verify", "write_trace"),
    "traces.stripping": ("strip_trace",),
    "traces.trace": ("Trace",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'workloads' has no attribute {name!r}")
    return getattr(import_module(f"workloads.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
