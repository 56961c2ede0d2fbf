"""Sending under deliberate faults, and the proof from providers' logs that nobody was harmed."""
