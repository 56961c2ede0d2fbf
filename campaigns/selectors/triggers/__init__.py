"""What campaigns wait for: who listens, what came, whom it is about."""
