"""The log of predictions: its writer, and what can be read from it."""
