"""Who is in a run of a campaign."""
