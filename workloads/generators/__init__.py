"""Generators: synthetic traces."""
