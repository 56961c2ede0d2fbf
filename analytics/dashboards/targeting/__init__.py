"""Pages of targeting: whom, what, how much, and what came of it."""
