"""Reads about message templates and the requests that send them."""
