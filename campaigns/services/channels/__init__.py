"""Channels and the provider accounts behind them: settings, tests, pauses, fates."""
