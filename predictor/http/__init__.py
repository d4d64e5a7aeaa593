"""The layers of every request: middleware, negotiation, errors, probes."""
