"""What a person was sent, and why, so that it can be shown years later."""
