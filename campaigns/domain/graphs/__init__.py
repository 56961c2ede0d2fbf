"""Graphs of messages: what somebody gets next, decided from what became of what she got."""
