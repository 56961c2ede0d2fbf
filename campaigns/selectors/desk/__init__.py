"""What people look up when they begin their day: what waits, what runs, what is planned."""
