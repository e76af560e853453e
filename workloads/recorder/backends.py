"""The backends there are, and which one serves here."""

from __future__ import annotations

from workloads.errors import HostError
from workloads.recorder.backend import Backend
from workloads.recorder.bpf.backend import BpfBackend
from workloads.recorder.tracefs.backend import TracefsBackend
from workloads.shown import meant

_BEST_FIRST: tuple[type[Backend], ...] = (BpfBackend, TracefsBackend)
BACKENDS = {backend.name: backend for backend in _BEST_FIRST}


def choose(name: str | None) -> tuple[type[Backend], list[str]]:
    """The backend of that name, or the first that works here; and why those before it do not.

    Raises HostError that says what is missing when none does.
    """
    if name is not None and name not in BACKENDS:
        raise HostError(
            f"--backend {name}: there is no such backend{meant(name, BACKENDS)}; use one of {', '.join(BACKENDS)}"
        )
    reasons: list[str] = []
    for backend in BACKENDS.values() if name is None else [BACKENDS[name]]:
        missing = backend.missing()
        if not missing:
            return backend, reasons
        reasons.append(f"{backend.name}: {missing}")
    raise HostError(f"{'; '.join(reasons)}; `cswap record snapshot` works without")
