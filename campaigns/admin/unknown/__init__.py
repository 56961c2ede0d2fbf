"""Messages and confirmations of unknown fate: found, asked about, decided."""
