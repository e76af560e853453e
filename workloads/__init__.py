"""Where page-outs and page-ins come from: traces on disk, generators, importers, samples.

The names below are loaded when first used, so that `import workloads` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workloads.csv_import import import_csv as import_csv
    from workloads.errors import TraceError as TraceError
    from workloads.events import COMPACT as COMPACT
    from workloads.events import FREE as FREE
    from workloads.events import IN as IN
    from workloads.events import KINDS as KINDS
    from workloads.events import LOST as LOST
    from workloads.events import OUT as OUT
    from workloads.events import Events as Events
    from workloads.samples import open_sample as open_sample
    from workloads.samples import sample_names as sample_names
    from workloads.sampling import sample_slots as sample_slots
    from workloads.sizes import GIVEN as GIVEN
    from workloads.sizes import Sizes as Sizes
    from workloads.sizes import read_sizes as read_sizes
    from workloads.sizes import sizes_path as sizes_path
    from workloads.sizes import write_sizes as write_sizes
    from workloads.store import TraceWriter as TraceWriter
    from workloads.store import info as info
    from workloads.store import open_trace as open_trace
    from workloads.store import save_trace as save_trace
    from workloads.store import verify as verify
    from workloads.store import write_trace as write_trace
    from workloads.stripping import strip_trace as strip_trace
    from workloads.synthetic import GENERATORS as GENERATORS
    from workloads.trace import Trace as Trace

_HOMES = {
    "csv_import": ("import_csv",),
    "errors": ("TraceError",),
    "events": ("COMPACT", "FREE", "IN", "KINDS", "LOST", "OUT", "Events"),
    "samples": ("open_sample", "sample_names"),
    "sampling": ("sample_slots",),
    "sizes": ("GIVEN", "Sizes", "read_sizes", "sizes_path", "write_sizes"),
    "store": ("TraceWriter", "info", "open_trace", "save_trace", "verify", "write_trace"),
    "stripping": ("strip_trace",),
    "synthetic": ("GENERATORS",),
    "trace": ("Trace",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'workloads' has no attribute {name!r}")
    return getattr(import_module(f"workloads.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
