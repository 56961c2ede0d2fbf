"""Credit elsewhere, income and bought values: taken in, and made attributes of the person."""
