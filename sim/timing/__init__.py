"""Timing: how long page-outs and page-ins take, and who waits for whom; a discrete-event simulation on SimPy."""
