"""The words that a recorder writes into the source of a trace; `strip` keeps these and no others."""

from __future__ import annotations

DECISIONS = (
    *("frees by reuse", "frees by page-in", "frees by pagemap", "frees of zero pages", "zero page-outs"),
    *("zero page-outs by pagemap", "pages of zeros on the device", "page-outs given to the program by pagemap"),
    *("page-outs noticed by pagemap only", "page-outs of nobody known", "page-outs of others", "records of others"),
    *("page-ins of free slots", "page-ins that left their slot in use"),
)
"""What the ledger counts, in the account of a trace's source."""
DROPPED = ("overrun", "commit overrun", "dropped events", "events that found the ring full")
