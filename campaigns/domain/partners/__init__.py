"""What partners may hand in and ask for."""
