"""Ways to reach a person: one contract, one file a provider."""
