"""What the law and the supervisor ask of messages, as dated data."""
