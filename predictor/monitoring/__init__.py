"""What watches the service is told: counts, log lines, what was refused."""
