"""Compressors: the stream that a page becomes, and the time that takes; look them up in `sim.plugins`."""
