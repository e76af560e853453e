"""What the replay notes of each event for the timing stage."""
