"""What a pickle may name, call and hold: the machine that reads one and builds nothing."""
