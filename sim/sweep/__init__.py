"""Sweeps: experiments of which every combination is kept by itself, so that nothing is done twice."""

from sim.sweep.sweeping import sweep

__all__ = ["sweep"]
