"""Who may be written to now, and how often."""
