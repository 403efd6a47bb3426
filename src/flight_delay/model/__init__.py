"""What is known of a flight, turned into minutes of delay."""
