"""Readers: files from elsewhere, made traces."""
