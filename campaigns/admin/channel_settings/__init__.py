"""The page of one provider account: options in words, addresses to copy."""
