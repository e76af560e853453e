"""What a page becomes: a value, an object, a whole page, or refused."""
