"""The server's speed compared with other ways of serving the same model; see ``scripts/bench``."""
