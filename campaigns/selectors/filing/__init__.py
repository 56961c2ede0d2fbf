"""Filed signatures and templates as they stand."""
