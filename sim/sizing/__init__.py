"""Sizing: the size of each page by each compressor, kept for the next run."""
