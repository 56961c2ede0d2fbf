"""Made-up people for the demo."""
