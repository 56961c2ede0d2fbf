"""Messages that the lender's own systems ask for, one by one or a few at a time."""
