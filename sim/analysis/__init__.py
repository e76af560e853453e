"""A trace as a person looks at it before any run: frames and pictures of its events and pages."""
