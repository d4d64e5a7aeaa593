"""What monitoring reads: counts, log lines, what was refused."""
