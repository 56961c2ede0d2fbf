"""Pages of segments and their exports."""
