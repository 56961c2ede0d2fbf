"""Texts of messages: variables, links and forms, and what may not stand in them."""
