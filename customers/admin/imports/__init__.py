"""Pages of imports and of the mappings they use."""
