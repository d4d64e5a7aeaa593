"""Which version answers now, and the switch to another."""
