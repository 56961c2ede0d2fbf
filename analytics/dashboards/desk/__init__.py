"""The first page, and what waits for its reader."""
