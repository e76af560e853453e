"""Frontends: they make of a page a value, an object, a whole page, or refuse it."""
