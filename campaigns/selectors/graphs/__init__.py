"""What graphs need to know about the people in them."""
