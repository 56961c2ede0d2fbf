"""Pages about borrowers over time."""
