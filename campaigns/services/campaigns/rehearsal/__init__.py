"""A launch that does not take place."""
