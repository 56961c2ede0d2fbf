"""What people ask for: opt-in, preferences, the stop list, replies."""
