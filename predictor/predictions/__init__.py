"""The main act: items in, scores out, on record."""
