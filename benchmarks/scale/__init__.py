"""What one replica and one row need, and from that the needs of a larger service."""
