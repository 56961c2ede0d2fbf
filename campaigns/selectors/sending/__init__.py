"""Reads that decide about sending: people's facts, refusals, past messages, channels."""
