"""Pages of the loan book and of decisions about applications."""
