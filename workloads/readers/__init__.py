"""Readers: import files from elsewhere as traces."""
