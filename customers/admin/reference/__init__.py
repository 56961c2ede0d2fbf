"""Pages of products, attributes and sources."""
