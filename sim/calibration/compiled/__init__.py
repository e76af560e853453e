"""Loops that read the clock around the thing itself, with no Python in between."""
