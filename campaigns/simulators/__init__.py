"""Providers for development and tests: they speak the real protocols, on the loopback only."""
