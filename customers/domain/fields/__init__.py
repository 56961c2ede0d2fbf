"""The catalogue of fields for rules and texts, and the bands of their values."""
