"""Django's PostgreSQL backend with a gate in front of its connections."""
