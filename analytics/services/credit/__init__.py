"""Use cases of the loan book: deriving it, its assumptions, and decisions about applications."""
