"""How a campaign begins its messages: what it waits for."""
