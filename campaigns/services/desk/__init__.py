"""Keeping campaigns in order: folders, tags, templates; no part of what is approved."""
