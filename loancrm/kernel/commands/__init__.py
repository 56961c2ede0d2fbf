"""What management commands and benchmarks share."""
