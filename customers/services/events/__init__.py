"""The log of events, and the lifecycle kept from it."""
