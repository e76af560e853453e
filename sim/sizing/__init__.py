"""Sizing: what each compressor makes of the pages of a trace, kept for the next time."""
