"""Consents and preferences, and how they are captured."""
