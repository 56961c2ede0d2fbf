"""A person's own data: looks, requests, exports."""
