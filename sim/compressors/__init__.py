"""Compressors: what a page becomes, and how long that takes; look them up in `sim.plugins`."""
