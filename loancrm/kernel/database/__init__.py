"""What the ORM has no word for: bulk writes, leases, locks, one clock, failures."""
