"""Pages of duplicates and merges."""
