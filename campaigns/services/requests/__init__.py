"""Message templates are written and approved; the lender's own systems send them."""
