"""Chinese as banks write it."""
