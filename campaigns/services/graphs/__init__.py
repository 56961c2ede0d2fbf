"""People walking graphs of messages."""
