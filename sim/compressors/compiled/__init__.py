"""Codecs equal to the kernel's, over bare arrays, compiled by numba or run as plain Python."""
