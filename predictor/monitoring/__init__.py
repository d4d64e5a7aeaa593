"""What monitoring reads: counts, log lines and the state of processes."""
