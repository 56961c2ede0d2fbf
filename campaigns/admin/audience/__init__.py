"""Whom a campaign leaves out, and what a launch would do."""
