"""Puts this folder on the path: the tests below it share its kit."""
