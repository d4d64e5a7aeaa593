"""Predictions: items in, scores out, recorded."""
