"""The sandbox for authors' texts."""
