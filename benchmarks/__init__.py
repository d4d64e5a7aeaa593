"""How fast the server is beside other ways of serving the same model; ``scripts/bench`` runs it."""
