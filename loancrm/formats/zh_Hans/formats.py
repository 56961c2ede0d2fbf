"""Groups of three digits, as in statements of account; Django's own have none."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
