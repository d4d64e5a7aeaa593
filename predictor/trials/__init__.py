"""Champion and challenger: the log asked again, what outcomes prove, and the way back."""
