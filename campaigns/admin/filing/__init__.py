"""Pages of filed signatures and templates."""
