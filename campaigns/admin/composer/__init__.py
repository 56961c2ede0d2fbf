"""The page on which a campaign is written, with its preview beside it."""
