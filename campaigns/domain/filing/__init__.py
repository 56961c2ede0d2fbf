"""What is filed with a provider before it may be sent: signatures and templates of messages."""
