"""Replay of traces: what happens to each page, and the pages held after each event."""
