"""Pages of message templates."""
