"""Celery entry points: read the clock, call one service."""
