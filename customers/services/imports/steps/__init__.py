"""The steps of an import: stage, check, match, apply."""
