"""Champion and challenger: replays of the log, proof from outcomes, and automatic rollback."""
