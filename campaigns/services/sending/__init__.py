"""The engine: chunks are claimed, decided, rendered, sent and settled."""
