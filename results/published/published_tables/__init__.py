"""The tables beside published figures, a module a subject."""
