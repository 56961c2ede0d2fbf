"""What became of messages: reports of providers, visits, and their effects."""
