"""Which version answers now, and the swap to another."""
