"""Frontend rules over arrays: what a page becomes, slot by slot."""
