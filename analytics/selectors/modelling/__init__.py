"""What models learn from and score: rows with a time, an outcome and columns of that time."""
