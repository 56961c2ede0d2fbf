"""What cannot be undone quietly: the audit chain, append-only tables, anchors."""
