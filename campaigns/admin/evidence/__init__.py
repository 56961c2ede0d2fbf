"""The page that says why somebody got a message, or none."""
