"""zram's recompression: by which algorithm, which pages, or none."""

from __future__ import annotations

from sim.advice.judging import ALIKE, BUSY, FELT, LIKELY, OPEN, SMALL, Advice, Row, mib, run_seconds, seconds
from sim.advice.runs import canonical
from sim.advice.study import Study

Sums = tuple[float, float, float]
KINDS = ("idle", "huge_idle")


def recompression(study: Study) -> Advice:
    """That which saves the most RAM, if it costs no noticeable time, that of the CPU in the background included."""
    second = _denser(study)
    if second is None:
        told = f"none of those looked at makes pages {ALIKE:.0%} smaller than {study.codec} does"
        return Advice("recompression", "no", told, LIKELY, "sizes are exact", "", study.traces, study.plain)
    rows = []
    for one in study.workloads:
        settings = f"zram:recompress={second},every={study.every(one)}"
        specs = {canonical(f"{settings},recompress_type={kind}"): kind for kind in KINDS}
        made = study.runs.of(one, frontends=(*specs,), compressors=(study.codec,))
        more = ({"kind": specs[row["frontend"]], "background_s": _background(study, row, second)} for row in made)
        rows += [row | other for row, other in zip(made, more, strict=True)]
    plain, run_s = _sums(study.plain), run_seconds(study.plain)
    tried = {kind: _sums([row for row in rows if row["kind"] == kind]) for kind in KINDS}
    gains = {kind: 1 - sums[0] / plain[0] if plain[0] else 0.0 for kind, sums in tried.items()}
    cheap = [kind for kind in KINDS if gains[kind] > ALIKE and _unnoticed(tried[kind], plain, run_s)]
    best = max(cheap or KINDS, key=lambda kind: gains[kind])
    mine = [row for row in rows if row["kind"] == best]
    saved = sum(study.scaled(row, "pool_pages_mean") for row in study.plain) - sum(
        study.scaled(row, "pool_pages_mean") for row in mine
    )
    count, cpu = sum(row["recompressed"] for row in mine), sum(row["background_s"] for row in mine)
    lost = sum(row["time_lost_s"] for row in mine) - plain[1]
    evidence = (
        f"{count:,} {best} by {second}: pool {mib(saved, study.page_size)} smaller ({gains[best]:.0%}), "
        f"{seconds(cpu)} CPU, {seconds(max(lost, 0))} lost"
    )
    value = f"{second}, {best}" if cheap else "no"
    reason = "when it is triggered is assumed"
    turns = "pages that stay longer than these traces last" if not cheap else "pages that are read back soon"
    certainty = OPEN if cheap or gains[best] > ALIKE else LIKELY
    if any(row["small"] for row in study.plain):
        certainty, reason = OPEN, SMALL
    return Advice("recompression", value, evidence, certainty, reason, turns, study.traces, [*study.plain, *rows])


def _denser(study: Study) -> str | None:
    """The compressor that makes the smallest objects, if they are smaller than those of the one chosen."""
    now = [row for row in study.of_codecs if row["cpu_scale"] == study.runs.cpu_scale and row["objects_peak"]]
    mean = {
        codec: sum(r["bytes_peak"] for r in now if r["compressor"] == codec)
        / max(1, sum(r["objects_peak"] for r in now if r["compressor"] == codec))
        for codec in study.codecs
    }
    best = min(mean, key=lambda codec: mean[codec])
    return best if mean[best] < mean[study.codec] * (1 - ALIKE) else None


def _background(study: Study, row: Row, second: str) -> float:
    """Seconds of CPU: a decompression by the first and a compression by the second for each page that was tried."""
    times = next(r for r in study.of_codecs if r["trace"] == row["trace"] and r["compressor"] == second)
    tried = row["recompressed"] + row["incompressible"]
    each = times.get("compress_us", 0.0) + row.get("decompress_us", 0.0)
    return float(tried * each * study.runs.cpu_scale / 1e6)


def _sums(rows: list[Row]) -> Sums:
    """Mean pages of the pool, seconds lost, and seconds of all CPUs."""
    cpu = sum(row["cpu_s"] + row.get("background_s", 0.0) for row in rows)
    return sum(row["pool_pages_mean"] for row in rows), sum(row["time_lost_s"] for row in rows), cpu


def _unnoticed(one: Sums, plain: Sums, run_s: float) -> bool:
    return one[1] - plain[1] <= FELT * run_s and one[2] - plain[2] <= BUSY * run_s
