"""Experiments: what is to be run, and running it."""
