"""Campaigns that wait for triggers: taking them in, and letting them become runs."""
