"""The calendar of what was and will be sent."""
