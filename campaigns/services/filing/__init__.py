"""The life of filed signatures and templates."""
