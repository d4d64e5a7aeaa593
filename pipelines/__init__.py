"""Pipeline steps that are programs."""
