"""Which way messages go: through the own channel, or one that stands in."""
