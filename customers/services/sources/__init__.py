"""The register of sources and mappings: who may hand in data, and in which form."""
