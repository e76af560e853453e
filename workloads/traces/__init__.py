"""Traces: events, unique pages and sizes, in memory and on disk."""
