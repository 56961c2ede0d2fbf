"""Who is in a run of a campaign, and what becomes of each before anything is sent."""
