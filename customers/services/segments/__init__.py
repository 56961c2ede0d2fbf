"""Segments: versions, members, refreshes, exports."""
