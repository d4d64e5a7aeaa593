"""What one replica and one row need, and how much of it a larger service needs."""
