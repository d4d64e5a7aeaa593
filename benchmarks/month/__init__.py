"""A month of the loop in two minutes: ``python -m benchmarks.month`` (see docs/loop.md)."""
