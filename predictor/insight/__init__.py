"""What the log tells: its pages, exports, outcomes, accuracy and drift."""
