"""The table at the head of README.md: what published.csv says, a line a quantity."""

from __future__ import annotations

import pandas as pd

BEGIN, END = "<!-- the table that make.py writes -->", "<!-- end of the table -->"
HEAD = ("| | quantity | published | simulated | difference | verdict |", "|---|---|---|---|---|---|")
AT_MOST = 4  # values told in a line; of more, the first and the last


def with_table(text: str, frame: pd.DataFrame) -> str:
    """The README with the table of this frame between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([before + BEGIN, *lines(frame), END]) + after


def lines(frame: pd.DataFrame) -> list[str]:
    """The table's lines."""
    rows = [*HEAD]
    for (name, quantity), group in frame.fillna({"item": ""}).groupby(["id", "quantity"], sort=False):
        unit = group["unit"].iloc[0]
        items = several(group["item"].tolist()) if group["item"].any() else ""
        cells = [
            str(name),
            str(quantity) + (f": {items}" if items else ""),
            several([shown(value, unit) for value in group["published"]]) + suffix(unit),
            several([shown(value, unit) for value in group["simulated"]]) + suffix(unit),
            apart(group),
            verdicts(group),
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def several(texts: list[str]) -> str:
    if len(texts) > AT_MOST:
        return f"{texts[0]}, ..., {texts[-1]} ({len(texts)})"
    return ", ".join(texts)


def shown(value: float, unit: str) -> str:
    """A value with the digits that its unit deserves."""
    if pd.isna(value):
        return "none"
    if unit in ("x", "%", "us"):
        return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
    return f"{value:,.0f}"


def suffix(unit: str) -> str:
    return {"x": "", "%": " %"}.get(unit, f" {unit}")


def apart(group: pd.DataFrame) -> str:
    """The least and the largest difference."""
    found = group["difference"].dropna()
    if found.empty:
        return ""
    unit = {"%": "%", "points": "points"}[group["difference_in"].iloc[0]]
    least, most = f"{found.min():+.1f}", f"{found.max():+.1f}"
    return f"{least} {unit}" if least == most else f"{least} to {most} {unit}"


def verdicts(group: pd.DataFrame) -> str:
    """Each verdict, with how many figures got it where there are several."""
    counts = group["verdict"].value_counts(sort=False)
    if len(counts) == 1:
        return str(counts.index[0])
    return ", ".join(f"{n} {verdict}" for verdict, n in counts.items())
