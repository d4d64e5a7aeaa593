"""How long callers wait: by a simulation, and by a load that comes at random."""
