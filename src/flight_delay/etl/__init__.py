"""From raw records to the processed table."""
