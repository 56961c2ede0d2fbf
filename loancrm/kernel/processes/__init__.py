"""The processes of this machine: what they run, how they stop, what they log."""
