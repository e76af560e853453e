"""Kernels: the allocators' rules over bare arrays, compiled by numba or run as plain Python."""
