"""Use cases of comparisons that are not one campaign's."""
