"""Callers: API keys and rate limits. A Django application of its own (its models, its admin)."""
