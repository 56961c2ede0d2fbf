"""How an experiment is planned, read while it runs, and decided: pure formulas."""
