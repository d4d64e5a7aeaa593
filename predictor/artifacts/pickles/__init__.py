"""What a pickle may name, call and hold: a machine that reads it without building anything."""
