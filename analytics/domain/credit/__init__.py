"""The loan book: how loans go bad, what that costs, and who is lent to on which terms."""
