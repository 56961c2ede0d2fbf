"""Changes of consents, and the doors through which they come."""
