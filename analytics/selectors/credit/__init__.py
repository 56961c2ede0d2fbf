"""What the figures of the loan book are read from."""
