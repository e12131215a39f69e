"""Making a run again, and saying how near it came."""
