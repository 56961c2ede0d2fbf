"""Pages of models: train, read, approve, promote, compare, roll back."""
