"""What templates of every app may say of customers' codes."""
