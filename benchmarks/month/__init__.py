"""A month of traffic, outcomes and decisions in two minutes (see docs/loop.md)."""
