"""Callers: API keys and rate limits. A separate Django application (its models, its admin)."""
