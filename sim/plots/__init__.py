"""Pictures of results; they only format frames."""
