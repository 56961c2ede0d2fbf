"""What somebody gave to change or make a campaign, checked before anything is done with it."""
