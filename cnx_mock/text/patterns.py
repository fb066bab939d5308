"""Patterns of paths into a document."""

ANY = "*"
"""Every key or index, in a pattern of `Source.with_texts`."""
