"""What partners hand in under a contract: leads, events, touches."""
